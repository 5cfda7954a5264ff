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
        ("argmax counts classes from one", "assert(mr.tensor { { 0, 3, 1 } }:argmax():totable()[1] == 2)"),
    ]

    @Test(arguments: specs) func spec(_ name: String, _ script: String) throws { try run(script) }

    static let errors: [(String, String)] = [
        ("mr.zeros(2, 3):matmul(mr.zeros(4, 5))", "disagree on the inner dimension (3 ≠ 4)"),
        ("return mr.zeros(2) + mr.zeros(3)", "do not broadcast"),
        ("mr.tensor { { 1, 2 }, { 3 } }", "rows of one length"),
        ("mr.zeros(1e6, 1e6, 1e6)", "absurdly large"),
        ("mr.zeros(300000, 300000)", "out of memory"),
        ("local t = mr.zeros(2); return t[3]", "out of range"),
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
