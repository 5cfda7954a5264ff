import ArgumentParser
import Interchange

/// - Throws: `ValidationError` unless the name of a file to be written ends as one of `formats` does.
func requireEnding(of path: String, _ option: String, among formats: [ModelFormat]) throws {
    guard (try? ModelFormat(endingOf: path, among: formats)) != nil else {
        throw ValidationError("The name of \(option) must end in \(ModelFormat.endings(formats)), got '\(path)'.")
    }
}
