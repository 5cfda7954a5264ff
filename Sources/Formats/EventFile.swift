public import Basics
import EventMessages
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A file of events that TensorBoard shows while it grows.
///
/// Each event is a record: the length of its bytes as a little-endian 64-bit number, the masked CRC of that, the bytes,
/// and their masked CRC. A record is written by one call, so that a reader never sees the middle of one and an abrupt end
/// leaves what was written before.
/// - Reference: TensorFlow, *TFRecord format*, https://www.tensorflow.org/tutorials/load_data/tfrecord.
public final class EventFile {
    public let path: String
    /// `nil` once it was closed.
    private var descriptor: Descriptor?
    /// Tells apart the files that one process begins in one second.
    private static let fileCount = Atomic<Int>(0)

    /// Begins a new file in `directory`, which is made where it is missing.
    public init(in directory: String) throws {
        try AtomicFile.makeDirectory(directory)
        var host = [CChar](repeating: 0, count: 256)
        gethostname(&host, host.count - 1)
        let name = String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let number = Self.fileCount.wrappingAdd(1, ordering: .relaxed).newValue
        path = "\(directory)/events.out.tfevents.\(Int(Self.now)).\(name).\(getpid()).\(number)"
        descriptor = try Descriptor.ofNewFile(path)
        var first = Tensorboard_Event()
        first.wallTime = Self.now
        first.fileVersion = EventCoding.fileVersion
        try append(first)
    }

    /// Adds numbers by tag at one step.
    public func add(_ values: [(tag: String, value: Double)], step: Int) throws {
        try append(EventCoding.scalars(values.map { ($0.tag, Float($0.value)) }, step: step, seconds: Self.now))
    }

    /// A setting of an experiment, as the HPARAMS page shows it.
    public enum Setting: Sendable {
        case number(Double), text(String), flag(Bool)
    }

    /// Says which settings this file is the run of.
    public func add(settings: [(name: String, value: Setting)], group: String) throws {
        let converted = settings.map { setting -> (name: String, value: EventCoding.Setting) in
            switch setting.value {
            case .number(let number): (setting.name, .number(number))
            case .text(let text): (setting.name, .text(text))
            case .flag(let flag): (setting.name, .flag(flag))
            }
        }
        for event in try EventCoding.session(converted, group: group, seconds: Self.now) { try append(event) }
    }

    /// Harmless when done already.
    public func close() { descriptor = nil }

    private static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    private func append(_ event: Tensorboard_Event) throws {
        guard let descriptor else { throw FileFailure.cannotWrite(path: path, reason: "it was closed") }
        try Self.record(try EventCoding.encode(event)).withUnsafeBytes { try descriptor.write($0, path: path) }
    }

    /// A record around `bytes`.
    package static func record(_ bytes: [UInt8]) -> [UInt8] {
        func littleEndian(_ number: some FixedWidthInteger) -> [UInt8] {
            withUnsafeBytes(of: number.littleEndian) { Array($0) }
        }
        let length = littleEndian(UInt64(bytes.count))
        return length + littleEndian(CyclicCheck.masked(length)) + bytes + littleEndian(CyclicCheck.masked(bytes))
    }
}

/// The cyclic redundancy check CRC-32C (polynomial 0x1EDC6F41, reflected).
/// - Reference: Castagnoli, Bräuer, Herrmann, *Optimization of Cyclic Redundancy-Check Codes with 24 and 32 Parity Bits*,
///   IEEE Transactions on Communications 41(6), 1993, doi:10.1109/26.231911.
package enum CyclicCheck {
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? (value >> 1) ^ 0x82F6_3B78 : value >> 1 }
    }

    package static func value(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { ($0 >> 8) ^ table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] }
    }

    /// Rotated and shifted, because the check of a text that holds its own check tells little.
    static func masked(_ bytes: [UInt8]) -> UInt32 {
        let check = value(bytes)
        return ((check >> 15) | (check << 17)) &+ 0xA282_EAD8
    }
}
