import Decomposition
import LuaRuntime
import Tensors

/// A weight of a layer over factors of its extents, held as a train.
protocol TrainLayerObject: LuaObjectConvertible {
    var train: TensorTrainObject { get }
    var parameterCount: Int { get }
    func reconstructed() throws -> Tensor
}

extension LuaClass where Object: TrainLayerObject {
    /// What scripts can ask of every layer of this kind.
    func addTrainMembers() {
        byteCount { $0.train.train.cores.reduce(0) { $0 + $1.byteCount } }
        property("train") { $0.train }
        property("ranks") { $0.train.train.ranks }
        property("params") { $0.parameterCount }
        property("ratio") { $0.train.denseCount / Double($0.parameterCount) }
        property("error") { $0.train.truncation?.relativeError }
        method("reconstruct") { _, object in TensorObject(try object.reconstructed()) }
    }
}
