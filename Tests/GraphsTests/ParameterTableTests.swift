import Graphs
import Tensors
import Testing

@Suite(.serialized) struct ParameterTableTests {
    private func table() throws -> ParameterTable {
        var table = ParameterTable()
        table["w"] = .init(tensor: try .ones([2, 3]), isTrainable: true)
        table["mean"] = .init(tensor: try .ones([4]), isTrainable: false)
        table["b"] = .init(tensor: try .ones([5]), isTrainable: true)
        return table
    }

    @Test func keepsTheOrderOfMaking() throws {
        var table = try table()
        table["w"] = .init(tensor: try .ones([1]), isTrainable: true)
        #expect(table.names == ["w", "mean", "b"] && table.trainableNames == ["w", "b"])
        #expect(table.trainableElementCount == 6 && table.byteCount == 40)
        table["mean"] = nil
        table["missing"] = nil
        #expect(table.names == ["w", "b"] && table["mean"] == nil)
        table.keep(only: ["b", "other"])
        #expect(table.names == ["b"] && table["w"] == nil)
    }

    @Test func aCopyIsAnotherTable() throws {
        let original = try table()
        var copy = original
        copy.update("w", try .zeros([2, 3]))
        copy.update("missing", try .zeros([1]))
        copy["b"]?.isTrainable = false
        #expect(try #require(original["w"]).tensor.total() == 6)
        #expect(try #require(copy["w"]).tensor.total() == 0)
        #expect(original.trainableNames == ["w", "b"] && copy.trainableNames == ["w"] && copy["missing"] == nil)
    }
}
