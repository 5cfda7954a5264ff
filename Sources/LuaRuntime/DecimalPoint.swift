import CLuaBridge

/// While one is alive, numbers that this thread spells have a decimal point, whatever the locale of the process says.
///
/// Text in files and in names of files must not depend on the language of who wrote it. Of several, the last one made must
/// go first, as with variables that a script closes where their block ends.
package final class DecimalPoint {
    private let previous: UnsafeMutableRawPointer?

    package init() { previous = moon_use_decimal_point() }

    deinit { if let previous { moon_restore_locale(previous) } }
}
