import Foundation
import SwiftProtobuf

/// Models as bytes.
package enum ONNXCoding {
    /// - Throws: what swift-protobuf says of bytes that are no such message.
    package static func decode(_ bytes: [UInt8]) throws -> Onnx_ModelProto {
        try Onnx_ModelProto(serializedBytes: bytes)
    }

    package static func encode(_ model: Onnx_ModelProto) throws -> [UInt8] { try model.serializedBytes() }

    /// A tensor of its own, as the tests that come with ONNX hold them.
    package static func decodeTensor(_ bytes: [UInt8]) throws -> Onnx_TensorProto {
        try Onnx_TensorProto(serializedBytes: bytes)
    }
}

extension Onnx_TensorProto {
    /// The elements as little-endian bytes, where they are kept so.
    package func withRawBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try rawData.withUnsafeBytes(body)
    }

    package mutating func setRawBytes(_ bytes: UnsafeRawBufferPointer) { rawData = Data(bytes) }
}

extension Onnx_AttributeProto {
    /// A string attribute; bytes that are no UTF-8 are replaced.
    package var text: String {
        get { String(decoding: s, as: UTF8.self) }
        set { s = Data(newValue.utf8) }
    }
}
