/// Numbers as people read them in tables: fixed decimals, thousands separated, bytes with binary units.
package enum DecimalText {
    /// `value` with exactly `places` decimals (0…15), without locale: `fixed(3.14159, 2)` is `3.14`.
    public static func fixed(_ value: Double, _ places: Int) -> String {
        guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        let scaled = (value.magnitude * scale).rounded()
        guard scaled < 9e18 else { return String(value) }
        let units = Int64(scaled)
        var digits = String(units)
        if digits.count <= places { digits = String(repeating: "0", count: places + 1 - digits.count) + digits }
        let sign = value < 0 && units != 0 ? "-" : ""
        return places == 0 ? sign + digits : sign + digits.dropLast(places) + "." + digits.suffix(places)
    }

    /// A fraction as percent with one decimal: `percent(0.4567)` is `45.7 %`.
    public static func percent(_ fraction: Double, _ places: Int = 1) -> String { fixed(fraction * 100, places) + " %" }

    /// Thousands separated by commas: `269,722`.
    public static func grouped(_ value: Int) -> String {
        let digits = String(value.magnitude)
        var text = ""
        for (position, digit) in digits.enumerated() {
            if position > 0, (digits.count - position) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return (value < 0 ? "-" : "") + text
    }

    /// Bytes with a binary unit: `1.1 MiB`.
    public static func bytes(_ count: Int) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        var value = Double(count)
        var unit = 0
        while value.magnitude >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return unit == 0 ? "\(count) B" : fixed(value, 1) + " " + units[unit]
    }
}

extension DecimalText {
    /// Four significant digits, without trailing zeros: `0.001234`, `12.5`, `1.5e-09`.
    public static func significant(_ value: Double) -> String {
        guard value.isFinite, value != 0 else { return fixed(value, 0) }
        let magnitude = value.magnitude
        guard magnitude >= 1e-4, magnitude < 1e7 else {
            let text = "\(Float(value))"
            return text
        }
        var places = 3
        var bound = 10.0
        while magnitude >= bound, places > 0 {
            places -= 1
            bound *= 10
        }
        bound = 1
        while magnitude < bound, places < 8 {
            places += 1
            bound /= 10
        }
        var text = fixed(value, places)
        if text.contains(".") {
            while text.last == "0" { text.removeLast() }
            if text.last == "." { text.removeLast() }
        }
        return text
    }
}
