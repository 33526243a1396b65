//! Draws the demo store's product pictures: no file from elsewhere, the same bytes every time.

use super::catalogue::Picture;
use super::png;
use super::shapes::{Point, at, circle, either, ellipse, line, ring, rounded, taper, without};
use anyhow::{Context, bail};

/// Width and height in pixels.
pub const SIZE: u32 = 400;

/// At most so many for one product: the first start should not take a minute.
const PICTURES: usize = 2;

/// (name, the form in the main colour, what is on it in the accent).
pub type Form = (&'static str, fn(Point) -> f32, fn(Point) -> f32);

const NOTHING: f32 = 9.0;

static FORMS: [Form; 20] = [
    (
        "mug",
        |p| {
            either(
                taper(p, -0.4, 0.45, 0.36, 0.32, 0.08),
                without(ring(p, at(0.4, 0.0), 0.2, 0.055), rounded(p, at(0.0, 0.0), 0.34, 0.5, 0.0)),
            )
        },
        |p| rounded(p, at(0.0, 0.25), 0.34, 0.045, 0.0),
    ),
    (
        "bowl",
        |p| {
            either(
                circle(p, at(0.0, -0.15), 0.58).max(-0.15 - p.y),
                rounded(p, at(0.0, 0.43), 0.2, 0.05, 0.02),
            )
        },
        |p| ellipse(p, at(0.0, -0.15), 0.58, 0.08),
    ),
    ("plate", |p| circle(p, at(0.0, 0.0), 0.6), |p| ring(p, at(0.0, 0.0), 0.42, 0.015)),
    ("glass", |p| taper(p, -0.5, 0.5, 0.3, 0.22, 0.05), |p| taper(p, 0.0, 0.47, 0.24, 0.2, 0.04)),
    (
        "bottle",
        |p| either(rounded(p, at(0.0, 0.15), 0.22, 0.42, 0.12), rounded(p, at(0.0, -0.42), 0.08, 0.2, 0.03)),
        |p| rounded(p, at(0.0, 0.2), 0.22, 0.14, 0.0),
    ),
    (
        "pan",
        |p| either(circle(p, at(-0.2, 0.1), 0.42), line(p, at(0.15, -0.12), at(0.62, -0.45), 0.055)),
        |p| circle(p, at(-0.2, 0.1), 0.34),
    ),
    (
        "pot",
        |p| {
            either(
                either(
                    rounded(p, at(0.0, 0.12), 0.44, 0.32, 0.08),
                    rounded(p, at(0.0, 0.0), 0.58, 0.05, 0.05),
                ),
                either(rounded(p, at(0.0, -0.26), 0.46, 0.045, 0.04), circle(p, at(0.0, -0.36), 0.065)),
            )
        },
        |p| rounded(p, at(0.0, -0.21), 0.44, 0.012, 0.0),
    ),
    (
        "kettle",
        |p| {
            either(
                either(taper(p, -0.2, 0.45, 0.28, 0.42, 0.1), line(p, at(0.3, 0.15), at(0.6, -0.15), 0.055)),
                ring(p, at(0.0, -0.3), 0.3, 0.04).max(p.y + 0.2),
            )
        },
        |p| either(circle(p, at(0.0, -0.24), 0.06), rounded(p, at(0.0, 0.38), 0.4, 0.02, 0.0)),
    ),
    (
        "knife",
        |p| line(p, at(0.05, -0.05), at(-0.5, 0.5), 0.09).max((p.x + p.y) - 0.05),
        |p| line(p, at(0.1, -0.1), at(0.5, -0.5), 0.07),
    ),
    (
        "board",
        |p| {
            without(
                either(
                    rounded(p, at(0.0, 0.1), 0.4, 0.48, 0.08),
                    rounded(p, at(0.0, -0.48), 0.1, 0.16, 0.06),
                ),
                circle(p, at(0.0, -0.52), 0.045),
            )
        },
        |p| {
            either(
                line(p, at(-0.18, -0.25), at(-0.18, 0.45), 0.008),
                line(p, at(0.14, -0.2), at(0.14, 0.5), 0.008),
            )
        },
    ),
    (
        "towel",
        |p| rounded(p, at(0.0, 0.05), 0.4, 0.52, 0.03),
        |p| either(rounded(p, at(0.0, 0.35), 0.4, 0.03, 0.0), rounded(p, at(0.0, 0.45), 0.4, 0.015, 0.0)),
    ),
    (
        "cushion",
        |p| {
            without(
                rounded(p, at(0.0, 0.0), 0.5, 0.5, 0.16),
                either(
                    either(circle(p, at(0.0, -1.95), 1.5), circle(p, at(0.0, 1.95), 1.5)),
                    either(circle(p, at(-1.95, 0.0), 1.5), circle(p, at(1.95, 0.0), 1.5)),
                ),
            )
        },
        |p| {
            either(
                line(p, at(-0.28, -0.3), at(0.28, 0.3), 0.02),
                line(p, at(0.28, -0.3), at(-0.28, 0.3), 0.02),
            )
        },
    ),
    (
        "candle",
        |p| rounded(p, at(0.0, 0.15), 0.24, 0.38, 0.05),
        |p| either(ellipse(p, at(0.0, -0.42), 0.055, 0.12), line(p, at(0.0, -0.3), at(0.0, -0.22), 0.012)),
    ),
    (
        "vase",
        |p| {
            either(
                either(circle(p, at(0.0, 0.2), 0.36), taper(p, -0.5, 0.0, 0.16, 0.12, 0.03)),
                rounded(p, at(0.0, 0.53), 0.2, 0.04, 0.02),
            )
        },
        |p| rounded(p, at(0.0, -0.46), 0.15, 0.03, 0.0),
    ),
    (
        "planter",
        |p| taper(p, 0.05, 0.58, 0.36, 0.26, 0.04),
        |p| {
            either(
                either(ellipse(p, at(0.0, -0.28), 0.1, 0.32), ellipse(p, at(-0.24, -0.12), 0.16, 0.2)),
                ellipse(p, at(0.24, -0.12), 0.16, 0.2),
            )
        },
    ),
    (
        "lamp",
        |p| taper(p, -0.52, 0.0, 0.22, 0.44, 0.03),
        |p| either(line(p, at(0.0, 0.0), at(0.0, 0.5), 0.03), rounded(p, at(0.0, 0.54), 0.24, 0.04, 0.03)),
    ),
    (
        "clock",
        |p| circle(p, at(0.0, 0.0), 0.55),
        |p| {
            either(
                ring(p, at(0.0, 0.0), 0.48, 0.02),
                either(
                    line(p, at(0.0, 0.0), at(0.0, -0.34), 0.022),
                    line(p, at(0.0, 0.0), at(0.22, 0.12), 0.028),
                ),
            )
        },
    ),
    (
        "basket",
        |p| either(taper(p, -0.12, 0.5, 0.5, 0.4, 0.06), ring(p, at(0.0, -0.1), 0.4, 0.04).max(p.y + 0.05)),
        |p| {
            either(
                either(
                    rounded(p, at(0.0, 0.05), 0.48, 0.015, 0.0),
                    rounded(p, at(0.0, 0.2), 0.45, 0.015, 0.0),
                ),
                rounded(p, at(0.0, 0.35), 0.42, 0.015, 0.0),
            )
        },
    ),
    ("jar", |p| rounded(p, at(0.0, 0.12), 0.32, 0.42, 0.1), |p| rounded(p, at(0.0, -0.36), 0.3, 0.09, 0.04)),
    (
        "blanket",
        |p| {
            either(
                rounded(p, at(0.0, 0.3), 0.55, 0.14, 0.13),
                either(
                    rounded(p, at(0.0, 0.03), 0.53, 0.14, 0.13),
                    rounded(p, at(0.0, -0.24), 0.51, 0.14, 0.13),
                ),
            )
        },
        |p| {
            either(
                line(p, at(-0.42, 0.165), at(0.5, 0.165), 0.01),
                line(p, at(-0.4, -0.105), at(0.48, -0.105), 0.01),
            )
        },
    ),
];

/// One PNG for each of the first colours.
///
/// # Errors
/// When the form or a colour is not known.
pub fn draw(picture: &Picture) -> anyhow::Result<Vec<Vec<u8>>> {
    let form = form_of(picture)?;
    let accent = colour(&picture.accent)?;
    picture.colours.iter().take(PICTURES).map(|main| Ok(paint(form, colour(main)?, accent)?)).collect()
}

/// What to draw.
///
/// # Errors
/// When the form is not known.
pub fn form_of(picture: &Picture) -> anyhow::Result<&'static Form> {
    FORMS.iter().find(|form| form.0 == picture.shape).with_context(|| format!("{} is no form", picture.shape))
}

fn colour(text: &str) -> anyhow::Result<[f32; 3]> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii());
    let Some(digits) = digits else { bail!("{text} is no colour") };
    let value = u32::from_str_radix(digits, 16).with_context(|| format!("{text} is no colour"))?;
    let [_, red, green, blue] = value.to_be_bytes();
    Ok([red, green, blue].map(|part| f32::from(part) / 255.0))
}

fn paint(form: &Form, main: [f32; 3], accent: [f32; 3]) -> std::io::Result<Vec<u8>> {
    let scale = 2.0 / SIZE as f32;
    let mut pixels = Vec::with_capacity((SIZE * SIZE * 3) as usize);
    let wall = mixed([0.96, 0.95, 0.93], main, 0.08);
    for row in 0..SIZE {
        for column in 0..SIZE {
            let p = at((column as f32 + 0.5) * scale - 1.0, (row as f32 + 0.5) * scale - 1.0);
            let mut seen = mixed(wall, [0.86, 0.84, 0.81], ((p.y - 0.55) * 60.0).clamp(0.0, 1.0) * 0.6);
            let shadow = ellipse(p, at(0.0, 0.6), 0.5, 0.06);
            seen = mixed(seen, [0.35, 0.33, 0.31], (0.5 - shadow * 6.0).clamp(0.0, 0.35));
            let inside = form.1(p);
            // Light from the upper left: a soft edge of shade on the other side.
            let shade = (p.x * 0.16 + p.y * 0.1).clamp(-0.14, 0.2);
            let lit = if shade > 0.0 { mixed(main, [0.0; 3], shade) } else { mixed(main, [1.0; 3], -shade) };
            seen = mixed(seen, lit, covered(inside, scale));
            let detail = form.2(p);
            if detail < NOTHING {
                seen = mixed(seen, accent, covered(detail, scale));
            }
            pixels.extend(seen.map(|part| (part * 255.0).round().clamp(0.0, 255.0) as u8));
        }
    }
    png::encode(SIZE, SIZE, &pixels)
}

/// How much of a pixel is inside.
fn covered(distance: f32, scale: f32) -> f32 {
    (0.5 - distance / scale).clamp(0.0, 1.0)
}

fn mixed(a: [f32; 3], b: [f32; 3], share: f32) -> [f32; 3] {
    std::array::from_fn(|part| a[part] + (b[part] - a[part]) * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_a_small_picture_and_the_same_twice() {
        for form in FORMS {
            let picture =
                Picture { shape: form.0.into(), colours: vec!["#3b6e8f".into()], accent: "#f2e9da".into() };
            let drawn = draw(&picture).unwrap();
            assert!(
                drawn[0].starts_with(b"\x89PNG") && drawn[0].len() < 120_000,
                "{}: {}",
                form.0,
                drawn[0].len()
            );
            if form.0 == "mug" {
                assert_eq!(drawn, draw(&picture).unwrap());
            }
        }
    }

    #[test]
    fn colours_are_checked() {
        assert!(colour("#12345").is_err() && colour("123456").is_err() && colour("#zzzzzz").is_err());
    }
}
