import Testing

@Suite(.serialized) struct TensorScriptTests {
    static let specs: [(String, String)] = [
        ("creation and shape", """
            local t = mr.tensor { { 1, 2, 3 }, { 4, 5, 6 } }
            assert(t.rank == 2 and t.shape[1] == 2 and t.shape[2] == 3 and t.dtype == "float32" and #t == 2)
            assert(t[2][3] == 6 and t:sum():item() == 21)
            assert(mr.arange(3):totable()[3] == 3 and mr.eye(2)[2][2] == 1)
            """),
        ("arithmetic broadcasts and takes numbers on both sides", """
            local a, b = mr.tensor { { 1, 2 }, { 3, 4 } }, mr.tensor { 10, 20 }
            assert((a + b)[2][2] == 24 and (a - 1)[1][1] == 0 and (2 * a)[2][1] == 6)
            assert((a / 2)[1][2] == 1 and (-a)[1][1] == -1 and (a ^ 2)[2][2] == 16 and (1 - a)[2][2] == -3)
            """),
        ("views count from one", """
            local a = mr.arange(12):to "float32":reshape(3, 4)
            assert(a:slice(2, 2, 3).shape[2] == 2 and a:slice(2, 2, 3)[1][1] == 2)
            assert(a:t()[4][1] == 4 and a:permute(2, 1).shape[1] == 4 and a:rows({ 3, 1 })[1][1] == 9)
            """),
        ("linear algebra", """
            mr.seed(1)
            local a = mr.randn(5, 3)
            local u, s, vt = a:svd()
            near((u:matmul(mr.eye(3) * s):matmul(vt) - a):norm(), 0, 1e-5)
            local q, r = a:qr()
            near((q:matmul(r) - a):norm(), 0, 1e-5)
            """),
        ("seeds repeat", """
            mr.seed(7); local a = mr.randn(4)
            mr.seed(7); local b = mr.randn(4)
            assert((a - b):norm() == 0 and (mr.randn(4) - a):norm() > 0)
            """),
        ("whole numbers become fractions where they must", """
            local t = mr.arange(4)
            local function is(tensor, dtype, ...)
                local got = tensor:totable()
                assert(tensor.dtype == dtype, tensor.dtype)
                for i, wanted in ipairs { ... } do near(got[i], wanted) end
            end
            is(t / 2, "float32", 0.5, 1, 1.5, 2) is(2 / t, "float32", 2, 1, 2 / 3, 0.5) is(t / t, "float32", 1, 1, 1, 1)
            is(t * 0.5, "float32", 0.5, 1, 1.5, 2) is(t + 0.5, "float32", 1.5, 2.5) is(0.5 - t, "float32", -0.5, -1.5)
            is(t ^ 0.5, "float32", 1, math.sqrt(2)) is(t ^ -1, "float32", 1, 0.5) is(t + 2, "int64", 3, 4) is(t ^ 2, "float32", 1, 4)
            is(t:eq(1.5), "int64", 0, 0, 0, 0) is(t:lt(1.5), "int64", 1, 0, 0, 0) is(t:le(2), "int64", 1, 1, 0, 0)
            is(t:maximum(1.5), "float32", 1.5, 2, 3) is(t:minimum(1.5), "float32", 1, 1.5, 1.5) is(t:maximum(2), "int64", 2, 2, 3)
            near(t:mean():item(), 2.5) is(t:reshape(2, 2):mean(1), "float32", 2, 3)
            is(t:to "uint8" / 2, "float32", 0.5, 1)
            """),
        ("dimensions count from one, or from the end", """
            local t = mr.tensor { { 1, 2, 3 }, { 4, 5, 6 } }
            assert(t:sum(1).shape[1] == 3 and t:sum(2).shape[1] == 2 and t:sum(-1).shape[1] == 2 and t:sum(-2).shape[1] == 3)
            assert(t:slice(-1, 2)[1][1] == 2 and t:permute(-1, 1).shape[1] == 3 and mr.cat({ t, t }, -1).shape[2] == 6)
            """),
        ("ipairs goes through the rows", """
            local sum, count = 0, 0
            for i, row in ipairs(mr.tensor { { 1, 2 }, { 3, 4 } }) do sum, count = sum + row[2], i end
            for _, number in ipairs(mr.tensor { 10, 20 }) do sum = sum + number end
            assert(sum == 36 and count == 2)
            """),
        ("argmax counts classes from one", "assert(mr.tensor { { 0, 3, 1 } }:argmax():totable()[1] == 2)"),
    ]

    @Test(arguments: specs) func spec(_ name: String, _ script: String) throws { try run(script) }

    static let errors: [(String, String)] = [
        ("mr.zeros(2, 3):matmul(mr.zeros(4, 5))", "disagree on the inner dimension (3 ≠ 4)"),
        ("return mr.zeros(2) + mr.zeros(3)", "do not broadcast"),
        ("mr.tensor { { 1, 2 }, { 3 } }", "rows of one length"),
        ("mr.zeros(1e6, 1e6, 1e6)", "absurdly large"),
        ("mr.zeros(300000, 300000)", "out of memory"),
        ("local t = mr.zeros(2); return t[4]", "Tensor: row 4 is out of range 1…2"),
        ("local t = mr.zeros(3); return t[0]", "Tensor: row 0 is out of range 1…3"),
        ("return mr.zeros(2, 2):sum():totable() and mr.zeros(2, 2):sum()[1]", "a scalar, which has none"),
        ("mr.zeros(2, 3):sum(0)", "Tensor:sum: argument 1 (dim) must be in 1…2, or in -2…-1 from the end, got 0"),
        ("mr.zeros(2, 3):mean(5)", "argument 1 (dim) must be in 1…2, or in -2…-1 from the end, got 5"),
        ("mr.zeros(2, 3):slice(3, 1)", "argument 1 (dim) must be in 1…2, or in -2…-1 from the end, got 3"),
        ("mr.zeros(2, 3):slice(2, 2, 7)", "must lie in 1…3, which dimension 2 has, with a step of at least 1, got 2…7 by 1"),
        ("mr.zeros(2, 3):slice(2, 0)", "got 0…3 by 1"),
        ("mr.zeros(2, 3):permute(1, 1)", "must name each of the 2 dimensions once, got 1, 1"),
        ("mr.zeros(2, 3):rows { 0 }", "argument 1 (indices) must be in 1…2, got 0"),
        ("mr.zeros(2, 3):rows { 3 }", "argument 1 (indices) must be in 1…2, got 3"),
        ("mr.cat({ mr.zeros(2, 3) }, 0)", "mr.cat: argument 2 (dim) must be in 1…2, or in -2…-1 from the end, got 0"),
        ("mr.cat({ mr.zeros(2, 3), mr.zeros(2, 4) }, 1)", "must agree beside dimension 1, got [2, 3] and [2, 4]"),
        ("mr.zeros():sum(1)", "a scalar has no dimensions"),
        ("mr.zeros(2):nrom()", "did you mean 'norm'"),
        ("mr.zeros(2):reshape(3)", "cannot become"),
        ("mr.loss.cross_entropy(mr.zeros(2, 3), mr.tensor({ 1, 4 }, { dtype = 'int64' }))", "label 4 at position 2 is out of range 1…3"),
        ("mr.zeros(1):backward()", "nothing to differentiate"),
        ("mr.zeros('a')", "must be an integer, got a string"),
    ]

    @Test(arguments: errors) func mistakesAreSentences(_ script: String, _ expected: String) {
        let got = message(of: script)
        #expect(got.contains(expected), "\(got)")
    }
}
