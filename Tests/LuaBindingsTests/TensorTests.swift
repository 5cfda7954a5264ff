import Testing

@Suite(.serialized) struct TensorScriptTests {
    static let specs: [(String, String)] = [
        (
            "creation and shape",
            """
            local t = mr.tensor { { 1, 2, 3 }, { 4, 5, 6 } }
            assert(t.rank == 2 and t.shape[1] == 2 and t.shape[2] == 3 and t.dtype == "float32" and #t == 2)
            assert(t[2][3] == 6 and t:sum():item() == 21)
            assert(mr.arange(3):totable()[3] == 3 and mr.eye(2)[2][2] == 1)
            """
        ),
        (
            "arithmetic broadcasts and takes numbers on both sides",
            """
            local a, b = mr.tensor { { 1, 2 }, { 3, 4 } }, mr.tensor { 10, 20 }
            assert((a + b)[2][2] == 24 and (a - 1)[1][1] == 0 and (2 * a)[2][1] == 6)
            assert((a / 2)[1][2] == 1 and (-a)[1][1] == -1 and (a ^ 2)[2][2] == 16 and (1 - a)[2][2] == -3)
            """
        ),
        (
            "views count from one",
            """
            local a = mr.arange(12):to "float32":reshape(3, 4)
            assert(a:slice(2, 2, 3).shape[2] == 2 and a:slice(2, 2, 3)[1][1] == 2)
            assert(a:t()[4][1] == 4 and a:permute(2, 1).shape[1] == 4 and a:rows({ 3, 1 })[1][1] == 9)
            """
        ),
        (
            "linear algebra",
            """
            mr.seed(1)
            local a = mr.randn(5, 3)
            local u, s, vt = a:svd()
            near((u:matmul(mr.eye(3) * s):matmul(vt) - a):norm(), 0, 1e-5)
            local q, r = a:qr()
            near((q:matmul(r) - a):norm(), 0, 1e-5)
            local gram = a:t():matmul(a)
            local values, vectors = gram:eigh()
            assert(values[1] <= values[2] and values[2] <= values[3])
            near((vectors:matmul(mr.eye(3) * values):matmul(vectors:t()) - gram):norm(), 0, 1e-4)
            near((values - s:rows { 3, 2, 1 } ^ 2):norm(), 0, 1e-4)
            local x = mr.randn(3, 2)
            near((gram:solve(gram:matmul(x)) - x):norm(), 0, 1e-3)
            assert(#gram:solve(x[1]:expand(3, 2):slice(2, 1, 1):reshape(3)).shape == 1)
            """
        ),
        (
            "the extremes of a dimension",
            """
            local t = mr.tensor { { 1, 9, 3 }, { 4, 5, -6 } }
            local function is(tensor, ...)
                for i, wanted in ipairs { ... } do assert(tensor:reshape(-1):totable()[i] == wanted, tostring(tensor)) end
            end
            assert(t:max() == 9 and t:min() == -6)
            is(t:max(1), 4, 9, 3) is(t:max(2), 9, 5) is(t:min(-1), 1, -6) is(t:argmax(), 2, 2) is(t:argmax(1), 2, 1, 1)
            assert(t:min(1, true).shape[1] == 1 and t:to "int64":max(1).dtype == "int64")
            """
        ),
        (
            "repeated and shuffled",
            """
            local t = mr.tensor { { 1 }, { 2 } }:expand(2, 3)
            assert(t.shape[2] == 3 and t[2][3] == 2 and t:sum():item() == 9)
            local order = mr.randperm(50)
            assert(order.dtype == "int64" and order:sum():item() == 1275 and order:min() == 1)
            local rows = mr.arange(50):rows(order)
            assert(rows[7] == order[7] and (rows - mr.arange(50)):to "float32":norm() > 0)
            local slope = mr.grad(function(x) return (x:expand(4, 3) * 2):sum() end)(mr.ones(1, 3))
            assert(slope.shape[1] == 1 and slope[1][1] == 8)
            """
        ),
        (
            "seeds repeat",
            """
            mr.seed(7); local a = mr.randn(4)
            mr.seed(7); local b = mr.randn(4)
            assert((a - b):norm() == 0 and (mr.randn(4) - a):norm() > 0)
            """
        ),
        (
            "whole numbers become fractions where they must",
            """
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
            """
        ),
        (
            "dimensions count from one, or from the end",
            """
            local t = mr.tensor { { 1, 2, 3 }, { 4, 5, 6 } }
            assert(t:sum(1).shape[1] == 3 and t:sum(2).shape[1] == 2 and t:sum(-1).shape[1] == 2 and t:sum(-2).shape[1] == 3)
            assert(t:slice(-1, 2)[1][1] == 2 and t:permute(-1, 1).shape[1] == 3 and mr.cat({ t, t }, -1).shape[2] == 6)
            """
        ),
        (
            "ipairs goes through the rows",
            """
            local sum, count = 0, 0
            for i, row in ipairs(mr.tensor { { 1, 2 }, { 3, 4 } }) do sum, count = sum + row[2], i end
            for _, number in ipairs(mr.tensor { 10, 20 }) do sum = sum + number end
            assert(sum == 36 and count == 2)
            """
        ),
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
        ("mr.zeros(2, 3):max(3)", "Tensor:max: argument 1 (dim) must be in 1…2, or in -2…-1 from the end, got 3"),
        ("mr.tape():watch(mr.zeros(2, 3)):max(1)", "Tensor:max has no gradient"),
        ("mr.zeros(2, 3):expand(2, 4)", "do not broadcast (3 ≠ 4)"),
        ("mr.zeros(2, 3):expand(2, 1)", "[2, 3] does not fill [2, 1]"),
        ("mr.zeros(2, 3):expand(-1, 3)", "must be extents of at least 1, got [-1, 3]"),
        ("mr.tensor({ { 1, 2 }, { 3, 4 } }):eigh()", "eigh: [2, 2] is not symmetric"),
        ("mr.zeros(2, 3):eigh()", "needs a square matrix, but got [2, 3]"),
        ("mr.zeros(2, 2):solve(mr.zeros(2))", "solve: the matrix [2, 2] is singular"),
        ("mr.eye(2):solve(3)", "argument 1 (right) must be a Tensor, got a number"),
        ("mr.randperm(-1)", "mr.randperm: argument 1 (count) must not be negative"),
        ("mr.arange(3):rows(mr.tensor { 4 })", "argument 1 (indices) must be in 1…3, got 4"),
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
