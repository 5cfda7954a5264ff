import LuaRuntime
import Tensors

/// Factorisations of matrices and what is solved with them; no gradient goes through any of it.
extension TensorClass {
    static func addLinearAlgebra(_ members: LuaClass<TensorObject>) {
        members.method("norm") { _, object in try object.tensor.norm() }
        members.method("svd") { call, object in
            try object.requirePlain("svd")
            let svd = try object.tensor.singularValueDecomposition()
            try call.push(TensorObject(svd.u))
            try push(svd.values, to: call)
            try call.push(TensorObject(svd.vt))
        }
        members.method("qr") { call, object in
            try object.requirePlain("qr")
            let (q, r) = try object.tensor.orthogonalFactors()
            try call.push(TensorObject(q))
            try call.push(TensorObject(r))
        }
        members.method("eigh") { call, object in
            try object.requirePlain("eigh")
            let matrix = object.tensor
            try matrix.requireType(.float32, "eigh")
            try requireSymmetric(matrix)
            let (values, vectors) = try matrix.symmetricEigen()
            try call.push(TensorObject(try Tensor(values)))
            try call.push(TensorObject(vectors))
        }
        members.method("solve") { call, object in
            let right = try call.object(1, "right", as: TensorObject.self)
            for operand in [object, right] { try operand.requirePlain("solve") }
            return TensorObject(try object.tensor.solving(right.tensor))
        }
    }

    /// Singular values as a Tensor, or where float32 does not hold them as an array of numbers with `max` and `min`.
    private static func push(_ values: [Double], to call: borrowing LuaCall) throws {
        let (largest, least) = (values.first ?? 0, values.last ?? 0)
        guard largest > Double(Float.greatestFiniteMagnitude) else {
            return try call.push(TensorObject(try Tensor(values.map { Float($0) })))
        }
        let table = try call.state.table()
        for value in values { try table.append(value) }
        try table.set("max", try call.state.function("max") { call in try call.push(largest) })
        try table.set("min", try call.state.function("min") { call in try call.push(least) })
        try call.push(table)
    }

    /// LAPACK reads one triangle alone, so that the eigenvalues of another matrix would come out without a word.
    private static func requireSymmetric(_ matrix: Tensor) throws {
        guard matrix.rank == 2, matrix.shape[0] == matrix.shape[1] else { return }
        let asymmetry = try matrix.subtracting(matrix.transposed()).norm()
        guard asymmetry > 1e-4 * (try matrix.norm()) else { return }
        throw TensorFailure.invalidArgument(
            operation: "eigh", detail: "\(matrix.shape) is not symmetric: it and its transpose differ by \(Float(asymmetry)) in norm")
    }
}
