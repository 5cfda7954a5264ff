import Basics
import Foundation

/// Kills one process after the other.
struct Kills {
    private let settings: Settings
    private let folders: [Folder]

    init(_ settings: Settings, in directory: String) throws {
        self.settings = settings
        folders = try Kind.all(path: settings.kinds).map { try Folder($0, in: directory) }
    }

    /// - Returns: The exit status.
    func run() throws -> Int32 {
        var (broken, left) = (0, 0)
        let numbers = settings.kill.map { $0...$0 } ?? 1...settings.count
        for number in numbers {
            var random = RandomSource(seed: UInt64(settings.seed) << 40 ^ UInt64(number))
            let folder = folders[Int.random(in: 0..<folders.count, using: &random)]
            let isWithoutUnnamed = Bool.random(using: &random)
            let microseconds = Int.random(in: 0..<folder.kind.milliseconds * 1000, using: &random)
            let writer = try folder.begin(number: number, isWithoutUnnamed: isWithoutUnnamed)
            usleep(UInt32(microseconds))
            try writer.kill()
            var faults = try folder.faults()
            let temporary = folder.temporaryNames
            if !temporary.isEmpty {
                left += 1
                faults += try folder.saveOnce(isWithoutUnnamed: isWithoutUnnamed)
            }
            for fault in faults {
                print(
                    "kill \(number) of seed \(settings.seed), \(folder.kind.name) after \(microseconds) µs: \(fault); "
                        + "scripts/kills --seed \(settings.seed) --kill \(number)")
            }
            fflush(nil)
            if !faults.isEmpty { broken += 1 }
        }
        print(
            "\(numbers.count) kills of seed \(settings.seed) over \(folders.count) kinds of files, \(broken) broke one; "
                + "\(left) left a temporary file, which the next save removed")
        return broken == 0 ? 0 : 1
    }
}
