import COneDNN

/// Where an element of a tensor lies in its storage.
package enum Layout: Equatable, Sendable {
    /// Element (i₀, i₁, …) lies at `offset + Σ i_d · strides[d]`.
    case strided([Int], offset: Int)
    /// An activation N×C×H×W as N ⌈C/b⌉ H W b, with b = `channelBlock` and the surplus channels zero.
    case blocked

    /// Channels per block on this processor: 16 with AVX-512, else 8.
    package static let channelBlock = Int(cod_channel_block())

    /// Elements a blocked activation of `shape` takes, surplus channels included.
    package static func blockedElementCount(_ shape: Shape) -> Int {
        let blocks = (shape[1] + channelBlock - 1) / channelBlock
        return shape[0] * blocks * channelBlock * shape[2] * shape[3]
    }
}

/// The layouts of activations that oneDNN's kernels work in.
package enum ActivationFormat: Equatable, Sendable {
    case plain, channelsLast, blocked
    /// Channels-last in bfloat16: inside of programs only, tensors are float32.
    case bfloat16

    var cod: cod_format {
        switch self {
        case .plain: cod_format_plain
        case .channelsLast: cod_format_channels_last
        case .blocked: cod_format_blocked
        case .bfloat16: cod_format_bfloat16
        }
    }

    init(_ format: cod_format) {
        switch format {
        case cod_format_channels_last: self = .channelsLast
        case cod_format_blocked: self = .blocked
        case cod_format_bfloat16: self = .bfloat16
        default: self = .plain
        }
    }
}
