//! Amounts, whose spelling the API server changes: it says `500m` where `0.5` was sent.

/// Whether two amounts are the same, whatever their spelling.
pub(crate) fn same(a: &str, b: &str) -> bool {
    a == b || matches!((nano(a), nano(b)), (Some(a), Some(b)) if a == b)
}

/// In thousand-millionths, rounded up as the API server does.
fn nano(text: &str) -> Option<i128> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || "+-.".contains(c))).unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let (numerator, denominator) = scale(suffix)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let parts = 10_i128.checked_pow(fraction.len().try_into().ok()?)?;
    let exact = digits.checked_mul(numerator)?.checked_mul(1_000_000_000)?;
    let parts = parts.checked_mul(denominator)?;
    Some(exact.div_euclid(parts) + i128::from(exact.rem_euclid(parts) != 0))
}

/// What a suffix multiplies by, as a fraction.
fn scale(suffix: &str) -> Option<(i128, i128)> {
    Some(match suffix {
        "" => (1, 1),
        "n" => (1, 1_000_000_000),
        "u" => (1, 1_000_000),
        "m" => (1, 1000),
        "k" => (1000, 1),
        "M" => (1_000_000, 1),
        "G" => (1_000_000_000, 1),
        "T" => (1_000_000_000_000, 1),
        "P" => (1_000_000_000_000_000, 1),
        "Ki" => (1 << 10, 1),
        "Mi" => (1 << 20, 1),
        "Gi" => (1 << 30, 1),
        "Ti" => (1 << 40, 1),
        "Pi" => (1 << 50, 1),
        _ => {
            let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            let power = 10_i128.checked_pow(exponent.unsigned_abs())?;
            if exponent < 0 { (1, power) } else { (power, 1) }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::same;

    #[test]
    fn amounts_are_the_same_however_they_are_spelt() {
        for (a, b) in [("0.5", "500m"), ("1000m", "1"), ("1024Mi", "1Gi"), ("1e3", "1k")] {
            assert!(same(a, b), "{a} {b}");
        }
        for (a, b) in [("1", "1m"), ("1G", "1Gi"), ("much", "more")] {
            assert!(!same(a, b), "{a} {b}");
        }
    }
}
