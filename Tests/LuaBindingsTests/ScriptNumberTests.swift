import Testing

/// Numbers of scripts at the ends of their ranges.
@Suite struct ScriptNumberTests {
    @Test(arguments: [
        (
            "mr.data.from_tensors(mr.ones(1, 1, 2, 2), mr.tensor({ math.mininteger }, { dtype = 'int64' }))",
            "labels) must count from 1, got -9223372036854775808 at position 1"
        ),
        ("mr.data.from_tensors(mr.ones(2, 1, 2, 2), mr.tensor({ 1, 0 }, { dtype = 'int64' }))", "labels) must count from 1, got 0 at position 2"),
        (
            "mr.loss.cross_entropy(mr.ones(1, 3), mr.tensor({ math.mininteger }, { dtype = 'int64' }))",
            "label -9223372036854775808 at position 1 is out of range 1…3"
        ),
        (
            "mr.loss.cross_entropy(mr.ones(1, 3), mr.tensor({ math.maxinteger }, { dtype = 'int64' }))",
            "label 9223372036854775807 at position 1 is out of range 1…3"
        ),
        ("tiny():epoch(1, { start = math.mininteger })", "'start' counts from 1, got -9223372036854775808"),
        ("tiny():epoch(math.mininteger)", "counts from 1, got -9223372036854775808"),
        ("tiny():epoch(1, { start = math.maxinteger })", "is beyond the 4 batches of an epoch"),
        ("mr.tt.convolution(mr.ones(2, 2, 3, 3), { ranks = 1, stride = -1 })", "'stride' must be one whole number or two (rows, columns) of at least 1"),
        ("mr.tt.convolution(mr.ones(2, 2, 3, 3), { ranks = 1, dilation = 0 })", "'dilation' must be one whole number or two"),
        ("mr.tt.convolution(mr.ones(2, 2, 3, 3), { ranks = 1, padding = { 1, 2, 3 } })", "'padding' must be one whole number, two (rows, columns) or four"),
        ("mr.tt.tensorized_convolution(mr.ones(4, 4, 3, 3), { ranks = 1, stride = { 1, -1 } })", "'stride' must be one whole number or two"),
        ("mr.rows({ { a = 1 } }):top(1 / 0)", "must be a whole number of at least 0, got inf"),
    ])
    func outOfRangeIsAnErrorInWords(call: String, words: String) {
        let message = message(of: call)
        #expect(message.contains(words), "\(call): \(message)")
    }

    @Test func progressStaysWithinItsRange() throws {
        try run(
            """
            for _, total in ipairs { math.mininteger, -1, 0, 1, math.maxinteger } do
                local bar = mr.progress("x", total)
                for _, steps in ipairs { 1 << 62, 1 << 62, math.maxinteger, math.mininteger, -1, math.mininteger, 1 } do bar:advance(steps) end
                bar:finish()
            end
            """)
    }

    @Test func namesOfParametersMustDiffer() throws {
        let start = "local x, opt = mr.ones(2), mr.optim.sgd { lr = 0.5 } "
        #expect(message(of: start + "opt:update({ x, ['1'] = x }, { x })").contains("has two keys that read '1'"))
        #expect(message(of: start + "opt:update({ x }, { x, ['1'] = x })").contains("has two keys that read '1'"))
        #expect(message(of: start + "opt:update({ [print] = x }, { x })").contains("must have names or whole numbers as keys"))
        try run(start + "local new = opt:update({ x, a = x }, { mr.ones(2), a = mr.ones(2) * 2 }) assert(new[1][1] == 0.5 and new.a[1] == 0)")
    }

    @Test func sizesOfModelsAreThereForScripts() throws {
        try run(
            """
            local path = os.tmpname()
            net():save(path .. ".safetensors")
            assert(mr.model_size(path .. ".safetensors") == mr.file_size(path .. ".safetensors"))
            os.remove(path) os.remove(path .. ".safetensors")
            """)
    }
}
