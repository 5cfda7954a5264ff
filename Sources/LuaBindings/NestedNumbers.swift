import Basics
import LuaRuntime
import Tensors

/// A number, or nested tables of numbers: row-major, and every row at one depth has one length.
///
/// The shape is read first, along the first rows, and the memory comes from the ledger of tensors before the numbers are
/// read: a few tables that are rows of each other many times can stand for more numbers than there is memory.
struct NestedNumbers {
    private let value: LuaValue
    private let shape: Shape

    /// - Throws: `BindingFailure.raggedTable` where the first row at some depth holds neither numbers nor rows.
    init(_ value: LuaValue) throws {
        self.value = value
        var (extents, first) = ([Int](), value)
        while let table = first.table {
            let count = try table.count("mr.tensor: a row")
            extents.append(count)
            guard extents.count <= Self.mostDimensions else { throw BindingFailure.raggedTable(place: "mr.tensor") }
            guard count > 0 else { break }
            first = try table.rawGet(1)
        }
        guard first.number != nil || extents.last == 0 else { throw BindingFailure.raggedTable(place: "mr.tensor") }
        shape = Shape(extents)
    }

    private static let mostDimensions = 16

    /// The numbers as a tensor: integers as they are, other numbers cut to whole ones where the type asks for it.
    /// - Throws: `BindingFailure.raggedTable`; `TensorFailure` where a number does not fit the type, or memory is short.
    func tensor(_ dtype: DType) throws -> Tensor {
        let tensor = try Tensor.zeros(shape, dtype: dtype)
        switch dtype {
        case .float32: try fill(tensor, Float.self, { Float($0) }, { Float($0) })
        case .int64: try fill(tensor, Int64.self, { Int64($0) }, { Int64(exactly: $0.rounded(.towardZero)) })
        case .uint8: try fill(tensor, UInt8.self, { UInt8(exactly: $0) }, { UInt8(exactly: $0.rounded(.towardZero)) })
        }
        return tensor
    }

    private func fill<Element: TensorElement>(
        _ tensor: Tensor, _: Element.Type, _ convertInteger: (Int) -> Element?, _ convert: (Double) -> Element?
    ) throws {
        func misfit(_ text: String) -> TensorFailure {
            .invalidArgument(operation: "mr.tensor", detail: "values must fit in \(Element.dtype), got \(text)")
        }
        func converted(_ number: Double) throws -> Element {
            if let element = convert(number) { return element }
            throw misfit(Int(exactly: number).map(String.init) ?? "\(number)")
        }
        func converted(_ value: LuaValue) throws -> Element {
            if case .integer(let number) = value {
                if let element = convertInteger(number) { return element }
                throw misfit("\(number)")
            }
            guard let number = value.number else { throw BindingFailure.raggedTable(place: "mr.tensor") }
            return try converted(number)
        }
        try tensor.withMutableElements(of: Element.self) { elements in
            if value.number != nil { return elements[0] = try converted(value) }
            let width = shape[shape.rank - 1]
            guard width > 0 else { return }
            var scratch = [Double](repeating: 0, count: width)
            var start = 0
            try forEachRow(of: value, depth: 0) { row in
                let target = UnsafeMutableBufferPointer(rebasing: elements[start..<start + width])
                start += width
                if Element.self == Int64.self,
                    try target.withMemoryRebound(to: Int64.self, { try row.read(into: $0) })
                {
                    return
                }
                try scratch.withUnsafeMutableBufferPointer { scratch in
                    guard try row.read(into: scratch) else { throw BindingFailure.raggedTable(place: "mr.tensor") }
                    // An integer beyond 2⁵³ that came as a double may have lost digits, so such a row is read one by one.
                    if scratch.contains(where: { abs($0) >= 0x1p53 }) {
                        for (i, number) in try row.array("mr.tensor: a row").enumerated() { target[i] = try converted(number) }
                    } else {
                        for i in 0..<width { target[i] = try converted(scratch[i]) }
                    }
                }
            }
        }
    }

    /// Calls `body` with the innermost rows in order.
    private func forEachRow(of value: LuaValue, depth: Int, _ body: (LuaTable) throws -> Void) throws {
        guard let table = value.table else { throw BindingFailure.raggedTable(place: "mr.tensor") }
        if depth == shape.rank - 1 { return try body(table) }
        try Cancellation.check()
        let rows = try table.array("mr.tensor: a row")
        guard rows.count == shape[depth] else { throw BindingFailure.raggedTable(place: "mr.tensor") }
        for row in rows { try forEachRow(of: row, depth: depth + 1, body) }
    }
}
