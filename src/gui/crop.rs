//! Which square of a picture is taken: pure geometry, without pixels and without a window.
//!
//! Decision: a crop is a centre and a zoom, in the picture's own pixels. Zoom 1 is the largest square there is, and
//! every change ends inside the picture, so there is never anything to correct: what is seen is what is taken.

/// The side in pixels of the smallest square one can zoom to: less would be a smear.
pub const LEAST: u32 = 64;

/// A square over a picture.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Crop {
    width: f64,
    height: f64,
    center: (f64, f64),
    zoom: f64,
}

/// A square of whole pixels, all of them in the picture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Square {
    /// Pixels left of it.
    pub left: u32,
    /// Pixels above it.
    pub top: u32,
    /// Its side in pixels, at least 1.
    pub side: u32,
}

impl Crop {
    /// The largest square in the middle of a picture of this size. A side of 0 counts as 1.
    pub fn new(width: u32, height: u32) -> Self {
        let (width, height) = (f64::from(width.max(1)), f64::from(height.max(1)));
        Self { width, height, center: (width / 2.0, height / 2.0), zoom: 1.0 }
    }

    /// The largest zoom; 1 if the picture is too small to zoom at all.
    pub fn most(&self) -> f64 {
        (self.shorter() / f64::from(LEAST)).max(1.0)
    }

    /// The zoom, from 1 to [`Crop::most`].
    pub fn zoom(&self) -> f64 {
        self.zoom
    }

    /// The side of the square in pixels of the picture.
    pub fn side(&self) -> f64 {
        self.shorter() / self.zoom
    }

    /// The upper left corner of the square in pixels of the picture.
    pub fn corner(&self) -> (f64, f64) {
        let half = self.side() / 2.0;
        (self.center.0 - half, self.center.1 - half)
    }

    /// Moves the square over the picture by so many of its pixels, as far as the picture goes.
    pub fn shift(&mut self, right: f64, down: f64) {
        if right.is_finite() && down.is_finite() {
            self.center = (self.center.0 + right, self.center.1 + down);
            self.hold();
        }
    }

    /// Changes the zoom. The point at `about`, in parts of the square from 0 to 1, stays where it is in the square
    /// unless that would leave the picture.
    pub fn zoom_to(&mut self, zoom: f64, about: (f64, f64)) {
        if !(zoom.is_finite() && about.0.is_finite() && about.1.is_finite()) {
            return;
        }
        let before = self.side();
        self.zoom = zoom.clamp(1.0, self.most());
        let smaller = before - self.side();
        self.center.0 += smaller * (about.0 - 0.5);
        self.center.1 += smaller * (about.1 - 0.5);
        self.hold();
    }

    /// Back to the largest square in the middle.
    pub fn reset(&mut self) {
        self.zoom = 1.0;
        self.center = (self.width / 2.0, self.height / 2.0);
    }

    /// The square in whole pixels, at most half a pixel away from the one that is seen.
    pub fn square(&self) -> Square {
        let side = self.side().round().clamp(1.0, self.shorter());
        let from = |center: f64, length: f64| (center - side / 2.0).round().clamp(0.0, length - side);
        Square {
            left: from(self.center.0, self.width) as u32,
            top: from(self.center.1, self.height) as u32,
            side: side as u32,
        }
    }

    fn shorter(&self) -> f64 {
        self.width.min(self.height)
    }

    /// Brings the square back into the picture.
    fn hold(&mut self) {
        let half = self.side() / 2.0;
        // The order of bounds holds even when rounding has made them cross by a hair.
        let within = |at: f64, length: f64| at.min(length - half).max(half.min(length / 2.0));
        self.center = (within(self.center.0, self.width), within(self.center.1, self.height));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MIDDLE: (f64, f64) = (0.5, 0.5);

    fn square(left: u32, top: u32, side: u32) -> Square {
        Square { left, top, side }
    }

    #[test]
    fn the_first_square_is_the_largest_in_the_middle() {
        assert_eq!(Crop::new(1300, 700).square(), square(300, 0, 700));
        assert_eq!(Crop::new(700, 1300).square(), square(0, 300, 700));
        assert_eq!(Crop::new(640, 640).square(), square(0, 0, 640));
        // An odd rest cannot be halved: half a pixel to one side.
        assert_eq!(Crop::new(101, 100).square(), square(1, 0, 100));
    }

    #[test]
    fn it_moves_as_far_as_the_picture_goes() {
        let mut crop = Crop::new(1300, 700);
        crop.shift(-120.0, 55.0);
        assert_eq!(crop.square(), square(180, 0, 700));
        crop.shift(-1e9, -1e9);
        assert_eq!(crop.square(), square(0, 0, 700));
        crop.shift(1e9, 1e9);
        assert_eq!(crop.square(), square(600, 0, 700));
        crop.zoom_to(2.0, MIDDLE);
        crop.shift(1e9, 1e9);
        assert_eq!(crop.square(), square(950, 350, 350));
    }

    #[test]
    fn zooming_keeps_the_point_it_is_about() {
        let mut crop = Crop::new(1300, 700);
        crop.zoom_to(2.0, MIDDLE);
        assert_eq!(crop.square(), square(475, 175, 350));
        crop.zoom_to(1.0, MIDDLE);
        assert_eq!(crop.square(), square(300, 0, 700));
        // The upper left corner stays the upper left corner.
        crop.zoom_to(4.0, (0.0, 0.0));
        assert_eq!(crop.square(), square(300, 0, 175));
        // Going out again from there would leave the picture at the top and does not.
        crop.shift(0.0, 300.0);
        crop.zoom_to(1.0, (0.5, 1.0));
        assert_eq!(crop.square().top, 0);
    }

    #[test]
    fn zoom_ends_where_a_square_would_be_a_smear() {
        let mut crop = Crop::new(1280, 640);
        crop.zoom_to(1e9, MIDDLE);
        assert_eq!((crop.zoom(), crop.square().side), (10.0, LEAST));
        crop.zoom_to(0.0, MIDDLE);
        assert_eq!(crop.zoom(), 1.0);
        let mut small = Crop::new(40, 30);
        small.zoom_to(5.0, MIDDLE);
        assert_eq!((small.zoom(), small.square()), (1.0, square(5, 0, 30)));
    }

    #[test]
    fn pixels_lines_and_nothing_have_a_square_too() {
        for (width, height) in [(1, 1), (0, 0), (1, 16_384), (16_384, 1), (u32::MAX, 1), (u32::MAX, u32::MAX)]
        {
            let mut crop = Crop::new(width, height);
            crop.zoom_to(3.0, (1.0, 0.0));
            crop.shift(0.4, -7.0);
            let found = crop.square();
            assert!(found.side >= 1);
            assert!(found.left + found.side <= width.max(1) && found.top + found.side <= height.max(1));
        }
    }

    #[test]
    fn numbers_that_are_none_change_nothing() {
        let mut crop = Crop::new(300, 200);
        crop.shift(f64::NAN, 1.0);
        crop.shift(1.0, f64::INFINITY);
        crop.zoom_to(f64::NAN, MIDDLE);
        crop.zoom_to(2.0, (f64::NAN, 0.0));
        assert_eq!(crop, Crop::new(300, 200));
    }

    #[test]
    fn reset_forgets_everything() {
        let mut crop = Crop::new(1999, 777);
        crop.zoom_to(3.3, (0.1, 0.9));
        crop.shift(12.5, -3.25);
        crop.reset();
        assert_eq!(crop, Crop::new(1999, 777));
    }

    proptest! {
        #[test]
        fn whatever_is_done_the_square_stays_in_the_picture(
            width in 1_u32..20_000,
            height in 1_u32..20_000,
            moves in prop::collection::vec((any::<bool>(), -3e4..3e4_f64, -3e4..3e4_f64, 0.0..40.0_f64), 0..12),
        ) {
            let mut crop = Crop::new(width, height);
            for (zoom, x, y, to) in moves {
                if zoom {
                    crop.zoom_to(to, (x / 3e4, y / 3e4));
                } else {
                    crop.shift(x, y);
                }
                let (left, top) = crop.corner();
                prop_assert!(left >= -1e-6 && left + crop.side() <= f64::from(width) + 1e-6);
                prop_assert!(top >= -1e-6 && top + crop.side() <= f64::from(height) + 1e-6);
                let found = crop.square();
                prop_assert!(found.side >= 1 && found.left + found.side <= width && found.top + found.side <= height);
                prop_assert!((f64::from(found.left) - left).abs() <= 1.0 && (f64::from(found.side) - crop.side()).abs() <= 0.5);
            }
        }
    }
}
