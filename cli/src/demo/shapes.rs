//! Forms as distance functions: negative inside, positive outside, in units of half the picture.

/// A point; (0, 0) is the middle, y grows downwards.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    pub x: f32,
    pub y: f32,
}

/// Shorthand.
#[must_use]
pub const fn at(x: f32, y: f32) -> Point {
    Point { x, y }
}

impl Point {
    fn minus(self, other: Self) -> Self {
        at(self.x - other.x, self.y - other.y)
    }

    fn length(self) -> f32 {
        self.x.hypot(self.y)
    }
}

/// A circle.
#[must_use]
pub fn circle(p: Point, middle: Point, radius: f32) -> f32 {
    p.minus(middle).length() - radius
}

/// An ellipse, near enough for drawing.
#[must_use]
pub fn ellipse(p: Point, middle: Point, radius_x: f32, radius_y: f32) -> f32 {
    let q = p.minus(middle);
    let k = (q.x / radius_x).hypot(q.y / radius_y);
    (k - 1.0) * radius_x.min(radius_y)
}

/// A box of half width and half height with round corners.
#[must_use]
pub fn rounded(p: Point, middle: Point, half_width: f32, half_height: f32, corner: f32) -> f32 {
    let q = p.minus(middle);
    let (x, y) = (q.x.abs() - half_width + corner, q.y.abs() - half_height + corner);
    x.max(0.0).hypot(y.max(0.0)) + x.max(y).min(0.0) - corner
}

/// A line of some thickness with round ends.
#[must_use]
pub fn line(p: Point, from: Point, to: Point, thickness: f32) -> f32 {
    let (along, whole) = (p.minus(from), to.minus(from));
    let share =
        ((along.x * whole.x + along.y * whole.y) / (whole.x * whole.x + whole.y * whole.y)).clamp(0.0, 1.0);
    at(along.x - whole.x * share, along.y - whole.y * share).length() - thickness
}

/// A ring.
#[must_use]
pub fn ring(p: Point, middle: Point, radius: f32, thickness: f32) -> f32 {
    circle(p, middle, radius).abs() - thickness
}

/// A symmetric trapezium between two heights, with the half widths there.
#[must_use]
pub fn taper(p: Point, top: f32, bottom: f32, half_top: f32, half_bottom: f32, corner: f32) -> f32 {
    let share = ((p.y - top) / (bottom - top)).clamp(0.0, 1.0);
    let half = half_top + (half_bottom - half_top) * share;
    let middle = at(0.0, f32::midpoint(top, bottom));
    rounded(p, middle, half, (bottom - top) / 2.0, corner)
}

/// What belongs to either.
#[must_use]
pub fn either(a: f32, b: f32) -> f32 {
    a.min(b)
}

/// What belongs to the first and not to the second.
#[must_use]
pub fn without(a: f32, b: f32) -> f32 {
    a.max(-b)
}
