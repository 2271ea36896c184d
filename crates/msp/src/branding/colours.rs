//! Colours: `#rrggbb`, and how well one is read on another.
//!
//! Relative luminance and contrast ratio as WCAG 2.2 defines them (<https://www.w3.org/TR/WCAG22/#dfn-relative-luminance>,
//! <https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio>).

use kernel::brand::BrandContrast;

/// A colour of the sRGB space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Colour([u8; 3]);

/// Least contrast of text (success criterion 1.4.3, level AA).
pub(super) const TEXT_MIN: f64 = 4.5;
/// Least contrast of what is no text (success criterion 1.4.11).
const SHAPE_MIN: f64 = 3.0;

const WHITE: Colour = Colour([0xff; 3]);
const BLACK: Colour = Colour([0; 3]);
/// What the console's surfaces are in the dark.
const DARK_SURFACE: Colour = Colour([0x14, 0x17, 0x1c]);

impl Colour {
    /// The colour that `#rrggbb` spells, in either case.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        let part = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
        Some(Self([part(0)?, part(2)?, part(4)?]))
    }

    /// `#rrggbb`, in lower case.
    pub(super) fn text(self) -> String {
        let [r, g, b] = self.0;
        format!("#{r:02x}{g:02x}{b:02x}")
    }

    /// Black or white, whichever is read better on it, and how well. One of them always has 4.58 at least.
    pub(super) fn text_on_it(self) -> (Self, BrandContrast) {
        let (white, black) = (contrast(self, WHITE), contrast(self, BLACK));
        let (text, ratio) = if white >= black { (WHITE, white) } else { (BLACK, black) };
        (text, BrandContrast { ratio: (ratio * 100.0).floor() / 100.0, ok: ratio >= TEXT_MIN })
    }

    /// The backgrounds of the console on which a shape of this colour is hard to see.
    pub(super) fn hard_to_see_on(self) -> Vec<&'static str> {
        let grounds = [(WHITE, "light"), (DARK_SURFACE, "dark")];
        grounds.into_iter().filter(|(ground, _)| contrast(self, *ground) < SHAPE_MIN).map(|(_, name)| name).collect()
    }

    fn luminance(self) -> f64 {
        let [r, g, b] = self.0.map(linear);
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }
}

fn linear(channel: u8) -> f64 {
    let share = f64::from(channel) / 255.0;
    if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
}

/// 1 to 21.
fn contrast(a: Colour, b: Colour) -> f64 {
    let (a, b) = (a.luminance(), b.luminance());
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_six_digits() {
        assert_eq!(Colour::parse("#0F766e").map(Colour::text).as_deref(), Some("#0f766e"));
        for wrong in ["", "#", "#fff", "0f766e", "#0f766g", "#0f766e0", "red", "#+f766e", "rgb(0,0,0)", "#0f766é", "url(#a)"] {
            assert_eq!(Colour::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn known_contrasts() {
        assert!((contrast(WHITE, BLACK) - 21.0).abs() < 1e-9);
        // The best known grey: the lightest on which white text passes AA.
        assert!((contrast(Colour([0x76; 3]), WHITE) - 4.54).abs() < 0.01);
        assert!((contrast(Colour([0x77; 3]), WHITE) - 4.48).abs() < 0.01);
        assert_eq!(Colour([0xff, 0xd6, 0x00]).text_on_it().0, BLACK);
        assert_eq!(Colour([0x0f, 0x76, 0x6e]).text_on_it().0, WHITE);
        assert_eq!(Colour([0xff, 0xff, 0x66]).hard_to_see_on(), ["light"]);
        assert_eq!(Colour([0x10, 0x10, 0x40]).hard_to_see_on(), ["dark"]);
        assert!(Colour([0x17, 0x80, 0xc0]).hard_to_see_on().is_empty());
    }

    #[test]
    fn black_or_white_is_read_on_every_colour() {
        let linear: Vec<f64> = (0..=255).map(linear).collect();
        let mut least = f64::MAX;
        for r in &linear {
            for g in &linear {
                let red_and_green = 0.2126 * r + 0.7152 * g;
                for b in &linear {
                    let own = red_and_green + 0.0722 * b + 0.05;
                    least = least.min((1.05 / own).max(own / 0.05));
                }
            }
        }
        assert!(least >= 4.58, "{least}");
    }
}
