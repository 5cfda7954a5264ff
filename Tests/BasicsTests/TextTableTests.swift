import Testing

import Basics

@Suite struct TextTableTests {
    @Test func numbersLineUpRightAndWordsLeft() {
        var table = TextTable(["layer", "gain", "params"])
        table.add(["conv1", "0.5", "432"])
        table.add(["stage1.é", "–", "12,345"])
        #expect(
            table.render() == """
                layer     gain  params
                ────────  ────  ──────
                conv1      0.5     432
                stage1.é     –  12,345
                """)
    }

    @Test func rowsAreFilledAndCutToTheHeadings() {
        var table = TextTable(["a", "b"])
        table.add(["x"])
        table.add(["y", "z", "dropped"])
        #expect(table.render() == "a  b\n─  ─\nx\ny  z")
    }

    @Test func aColumnWithOneWordIsWords() {
        var table = TextTable(["value"])
        table.add(["1"])
        table.add(["none"])
        #expect(table.render() == "value\n─────\n1\nnone")
    }

    @Test func noRowsLeaveTheHeadings() {
        #expect(TextTable(["a", "bc"]).render() == "a  bc\n─  ──")
    }
}
