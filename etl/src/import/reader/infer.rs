//! What the columns of a table of texts (CSV, spreadsheet) hold.
//!
//! Codes stay text: a DANE code that loses its leading zero, or whose 22
//! digits become a float, is another code.

use layers::AttributeType;

use super::cell;

/// What is known of a column after some of its values.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is one type that the values may still have")]
pub(super) struct Guess {
    seen: u64,
    integer: bool,
    number: bool,
    /// Every comma so far could be one of thousands: `1,234`.
    only_thousands: bool,
    commas: bool,
    boolean: bool,
    iso_date: bool,
    day_first: bool,
    /// A day after the 12th, which cannot be a month.
    proves_day_first: bool,
    instant: bool,
}

impl Default for Guess {
    fn default() -> Self {
        Self {
            seen: 0,
            integer: true,
            number: true,
            only_thousands: true,
            commas: false,
            boolean: true,
            iso_date: true,
            day_first: true,
            proves_day_first: false,
            instant: true,
        }
    }
}

impl Guess {
    /// Takes one more value into account.
    pub(super) fn see(&mut self, text: &str) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        self.seen += 1;
        self.integer &= is_plain_integer(text);
        if self.number {
            self.number = is_plain_number(text);
            if let Some((_, decimals)) = text.split_once(',') {
                self.commas = true;
                self.only_thousands &= decimals.len() == 3;
            }
        }
        self.boolean &= matches!(text.to_ascii_lowercase().as_str(), "true" | "false");
        self.iso_date &= text.len() == 10 && text.as_bytes()[4] == b'-' && cell::date(text).is_some();
        if self.day_first {
            self.day_first = text.contains('/') && text.find('/') != Some(4) && cell::date(text).is_some();
            self.proves_day_first |= text.split('/').next().and_then(|day| day.parse::<u8>().ok()) > Some(12);
        }
        self.instant &= text.len() >= 16 && cell::instant(text).is_some();
    }

    /// The type of the column called `name`.
    pub(super) fn kind(&self, name: &str) -> AttributeType {
        if self.seen == 0 || is_code(name) {
            AttributeType::Text
        } else if self.boolean {
            AttributeType::Boolean
        } else if self.integer {
            AttributeType::Integer
        } else if self.number && !(self.commas && self.only_thousands) {
            AttributeType::Number
        } else if self.iso_date || (self.day_first && self.proves_day_first) {
            AttributeType::Date
        } else if self.instant {
            AttributeType::DateTime
        } else {
            AttributeType::Text
        }
    }
}

/// Digits without a leading zero, at most 15: more is a code, and more than a
/// spreadsheet keeps.
fn is_plain_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    (1..=15).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'))
}

fn is_plain_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let whole = digits.split(['.', ',', 'e', 'E']).next().unwrap_or_default();
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    // 12E4 is a block's name sooner than a number.
    let exponent_without_point = digits.contains(['e', 'E']) && !digits.contains('.');
    !leading_zero && whole.len() <= 15 && !exponent_without_point && cell::number(text).is_some()
}

/// Whether a column of that name holds codes, whatever they look like.
pub(super) fn is_code(name: &str) -> bool {
    const WORDS: [&str; 30] = [
        "cod",
        "codigo",
        "code",
        "codi",
        "cods",
        "codigos",
        "dane",
        "divipola",
        "nit",
        "cedula",
        "documento",
        "telefono",
        "tel",
        "celular",
        "fax",
        "matricula",
        "predial",
        "npn",
        "nupre",
        "chip",
        "orip",
        "postal",
        "zip",
        "ccdgo",
        "ccnct",
        "cdgo",
        "cnct",
        "ficha",
        "placa",
        "radicado",
    ];
    layers::column_name(name).split('_').any(|word| WORDS.contains(&word) || word.starts_with("codigo"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(name: &str, values: &[&str]) -> AttributeType {
        let mut guess = Guess::default();
        for value in values {
            guess.see(value);
        }
        guess.kind(name)
    }

    #[test]
    fn codes_stay_text_and_numbers_become_numbers() {
        assert_eq!(kind("zona", &["01", "2"]), AttributeType::Text);
        assert_eq!(kind("COD_DANE_A", &["73001"]), AttributeType::Text);
        assert_eq!(kind("MPIO_CCDGO", &["1"]), AttributeType::Text);
        assert_eq!(kind("manzana", &["7300110000000000010105"]), AttributeType::Text);
        assert_eq!(kind("poblacion", &["12", "", "-3", "0"]), AttributeType::Integer);
        assert_eq!(kind("area", &["1.5", "2"]), AttributeType::Number);
        assert_eq!(kind("area", &["1,5", "2"]), AttributeType::Number);
        assert_eq!(kind("valor", &["1,500", "2,000"]), AttributeType::Text);
        assert_eq!(kind("escala", &["1:5000"]), AttributeType::Text);
        assert_eq!(kind("manzana", &["12E4"]), AttributeType::Text);
        assert_eq!(kind("activo", &["true", "FALSE"]), AttributeType::Boolean);
        assert_eq!(kind("fecha", &["2024-01-31"]), AttributeType::Date);
        assert_eq!(kind("fecha", &["31/01/2024", "01/02/2024"]), AttributeType::Date);
        assert_eq!(kind("fecha", &["01/02/2024"]), AttributeType::Text);
        assert_eq!(kind("hora", &["2024-01-31T10:00:00Z"]), AttributeType::DateTime);
        assert_eq!(kind("nada", &["", " "]), AttributeType::Text);
    }
}
