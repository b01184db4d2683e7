//! Where each message stands in the view.
//!
//! Decision: there is no scroll offset. The view holds on to one item, the *anchor*, and how far below the top edge
//! it stands; everything else is placed from there, up and down, until the view is full. So what is added above or
//! below, or loads late and grows, never moves what the eye is on, only what is on screen is measured, and positions
//! stay small numbers however long the history is. A view at the bottom is anchored to the bottom.

use std::collections::HashMap;
use std::hash::Hash;

/// Space above the first item and below the last, in points.
pub const PAD: (f32, f32) = (8.0, 12.0);

/// Names an item.
pub trait ItemKey: Copy + Eq + Hash {
    /// Whether the view may hold on to it: it keeps its place among the others when some are added.
    fn is_steady(&self) -> bool;
}

/// What the view holds on to.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Anchor<K> {
    /// The newest item stands at the bottom.
    Bottom,
    /// This item's top edge stands so many points below the view's top edge.
    Item(K, f32),
    /// This item's lower edge stands so many points below the view's top edge. What the view chooses itself: if the
    /// item grows or shrinks, nothing below it moves.
    Above(K, f32),
}

/// The placement of a list of items named by `K`.
pub struct Timeline<K> {
    keys: Vec<K>,
    index: HashMap<K, usize>,
    /// Measured heights; dropped when the width changes.
    heights: HashMap<K, f32>,
    anchor: Anchor<K>,
    /// What is in view: index of the item and its top edge.
    placed: Vec<(usize, f32)>,
    at_bottom: bool,
    at_top: bool,
}

impl<K> Default for Timeline<K> {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            index: HashMap::new(),
            heights: HashMap::new(),
            anchor: Anchor::Bottom,
            placed: Vec::new(),
            at_bottom: true,
            at_top: false,
        }
    }
}

impl<K: ItemKey> Timeline<K> {
    /// The items changed.
    pub fn set_items(&mut self, keys: Vec<K>) {
        if let Anchor::Item(key, _) | Anchor::Above(key, _) = self.anchor
            && !keys.contains(&key)
        {
            self.reanchor(&keys);
        }
        self.index = keys.iter().enumerate().map(|(index, key)| (*key, index)).collect();
        self.keys = keys;
    }

    /// The anchor is gone: hold on to the nearest item that was in view and still exists.
    fn reanchor(&mut self, keys: &[K]) {
        let survivor = self.placed.iter().find_map(|(index, top)| {
            let key = self.keys.get(*index)?;
            (key.is_steady() && keys.contains(key)).then_some((*key, *top))
        });
        self.anchor = survivor.map_or(Anchor::Bottom, |(key, top)| Anchor::Item(key, top));
    }

    /// Every height is to be measured again.
    pub fn forget_heights(&mut self) {
        self.heights.clear();
    }

    /// One height is to be measured again.
    pub fn forget(&mut self, key: K) {
        self.heights.remove(&key);
    }

    /// Moves the view.
    pub fn hold(&mut self, anchor: Anchor<K>) {
        self.anchor = anchor;
    }

    /// Whether there is such an item.
    pub fn contains(&self, key: K) -> bool {
        self.index.contains_key(&key)
    }

    /// Where the top edge of an item in view stands.
    pub fn top_of(&self, key: K) -> Option<f32> {
        let index = self.index.get(&key)?;
        self.placed.iter().find(|(placed, _)| placed == index).map(|(_, top)| *top)
    }

    /// What the view holds on to.
    pub fn anchor(&self) -> Anchor<K> {
        self.anchor
    }

    /// The newest item is fully in view.
    pub fn at_bottom(&self) -> bool {
        self.at_bottom
    }

    /// The oldest item is in view.
    pub fn at_top(&self) -> bool {
        self.at_top
    }

    /// The items in view, top to bottom: index, top edge.
    pub fn placed(&self) -> &[(usize, f32)] {
        &self.placed
    }

    /// The height of an item, if it was measured.
    pub fn height(&self, key: K) -> Option<f32> {
        self.heights.get(&key).copied()
    }

    /// Places the items in a view of this height, moved by `scroll` points (positive: towards older items).
    pub fn place(&mut self, view: f32, scroll: f32, measure: &mut dyn FnMut(usize) -> f32) {
        self.placed.clear();
        let Some(last) = self.keys.len().checked_sub(1) else {
            (self.at_bottom, self.at_top) = (true, true);
            return;
        };
        let floor = view - PAD.1;
        let (index, top) = match self.anchor {
            Anchor::Item(key, top) => (self.index.get(&key).copied().unwrap_or(last), top + scroll),
            Anchor::Above(key, bottom) => {
                let index = self.index.get(&key).copied().unwrap_or(last);
                (index, bottom - self.measured(index, measure) + scroll)
            }
            Anchor::Bottom => (last, floor - self.measured(last, measure) + scroll),
        };
        let (mut first, mut first_top) = (index, top);
        // Down to the lower edge; then, if the end came too early, everything moves down to it.
        let (end, end_bottom) = self.walk_down(index, top, view, measure);
        if end == last && end_bottom < floor {
            first_top += floor - end_bottom;
        }
        // Up to the upper edge; then, if the beginning came too early, everything moves up to it, unless all fits.
        while first > 0 && first_top > 0.0 {
            first -= 1;
            first_top -= self.measured(first, measure);
        }
        if first == 0 && first_top > PAD.0 {
            let bottom = self.walk_down(0, first_top, f32::INFINITY.min(first_top + view), measure);
            let room = if bottom.0 == last { (bottom.1 - floor).max(0.0) } else { f32::INFINITY };
            first_top -= (first_top - PAD.0).min(room);
        }
        self.collect(first, first_top, view, measure);
        self.settle(last, floor);
    }

    fn measured(&mut self, index: usize, measure: &mut dyn FnMut(usize) -> f32) -> f32 {
        let Some(key) = self.keys.get(index) else { return 0.0 };
        *self.heights.entry(*key).or_insert_with(|| measure(index))
    }

    /// Goes down from an item until `limit`; the last item reached and its lower edge.
    fn walk_down(
        &mut self,
        index: usize,
        top: f32,
        limit: f32,
        measure: &mut dyn FnMut(usize) -> f32,
    ) -> (usize, f32) {
        let (mut at, mut bottom) = (index, top + self.measured(index, measure));
        while at + 1 < self.keys.len() && bottom < limit {
            at += 1;
            bottom += self.measured(at, measure);
        }
        (at, bottom)
    }

    fn collect(&mut self, first: usize, top: f32, view: f32, measure: &mut dyn FnMut(usize) -> f32) {
        let (mut index, mut top) = (first, top);
        while index < self.keys.len() && top < view {
            let height = self.measured(index, measure);
            if top + height > 0.0 {
                self.placed.push((index, top));
            }
            top += height;
            index += 1;
        }
    }

    /// Chooses what to hold on to until the next frame.
    fn settle(&mut self, last: usize, floor: f32) {
        let bottom = self.placed.last().and_then(|(index, top)| {
            let key = self.keys.get(*index)?;
            (*index == last).then(|| top + self.heights.get(key).copied().unwrap_or(0.0))
        });
        self.at_bottom = bottom.is_some_and(|bottom| bottom <= floor + 1.0);
        self.at_top = self.placed.first().is_some_and(|(index, top)| *index == 0 && *top >= 0.0);
        self.anchor = if self.at_bottom {
            Anchor::Bottom
        } else {
            // The first steady item that begins in view; a long one that fills the view holds itself.
            let steady = |index: &usize| self.keys.get(*index).is_some_and(ItemKey::is_steady);
            let mut steady = self.placed.iter().filter(|(index, _)| steady(index));
            let held = steady.clone().find(|(_, top)| *top >= 0.0).or_else(|| steady.next());
            let held = held.or(self.placed.first());
            let above = |(index, top): &(usize, f32)| {
                let key = *self.keys.get(*index)?;
                Some(Anchor::Above(key, top + self.heights.get(&key)?))
            };
            held.and_then(above).unwrap_or(Anchor::Bottom)
        };
    }

    /// Position of the view for a scroll bar: the part above and the part in view, each 0 to 1. What was not
    /// measured is taken to be as high as the rest on average.
    pub fn bar(&self, view: f32) -> Option<(f32, f32)> {
        if self.keys.is_empty() || self.heights.is_empty() || (self.at_top && self.at_bottom) {
            return None;
        }
        let mean = self.mean();
        let height = |key: &K| self.heights.get(key).copied().unwrap_or(mean);
        let total: f32 = self.keys.iter().map(height).sum::<f32>() + PAD.0 + PAD.1;
        let (first, top) = self.placed.first()?;
        let above: f32 = self.keys.iter().take(*first).map(height).sum::<f32>() + PAD.0 - top;
        Some(((above / total).clamp(0.0, 1.0), (view / total).min(1.0)))
    }

    /// Moves the view so that this part (0 to 1) of everything is above it.
    pub fn jump(&mut self, part: f32) {
        let mean = self.mean();
        let height = |key: &K| self.heights.get(key).copied().unwrap_or(mean);
        let total: f32 = self.keys.iter().map(height).sum::<f32>() + PAD.0 + PAD.1;
        let mut rest = part.clamp(0.0, 1.0) * total - PAD.0;
        for key in &self.keys {
            let height = height(key);
            if rest < height {
                self.anchor = Anchor::Item(*key, -rest);
                return;
            }
            rest -= height;
        }
        self.anchor = Anchor::Bottom;
    }

    fn mean(&self) -> f32 {
        self.heights.values().sum::<f32>() / self.heights.len().max(1) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIEW: f32 = 100.0;

    impl ItemKey for u32 {
        fn is_steady(&self) -> bool {
            *self < 1000
        }
    }

    fn timeline(count: u32) -> Timeline<u32> {
        let mut timeline = Timeline::default();
        timeline.set_items((0..count).collect());
        timeline
    }

    /// Places items of 30 points each.
    fn place(timeline: &mut Timeline<u32>, scroll: f32) -> Vec<(u32, f32)> {
        timeline.place(VIEW, scroll, &mut |_| 30.0);
        timeline.placed().iter().map(|(index, top)| (timeline.keys[*index], *top)).collect()
    }

    #[test]
    fn starts_at_the_bottom_and_stays_there() {
        let mut timeline = timeline(10);
        assert_eq!(place(&mut timeline, 0.0), [(7, -2.0), (8, 28.0), (9, 58.0)]);
        assert!(timeline.at_bottom());
        timeline.set_items((0..11).collect());
        assert_eq!(place(&mut timeline, 0.0).last(), Some(&(10, 58.0)));
    }

    #[test]
    fn nothing_moves_when_items_come_above_or_below() {
        let mut timeline = timeline(10);
        place(&mut timeline, 0.0);
        let before = place(&mut timeline, 75.0);
        assert!(!timeline.at_bottom());
        timeline.set_items((0..20).collect());
        assert_eq!(place(&mut timeline, 0.0), before);
        timeline.set_items((100..150).chain(0..20).collect());
        assert_eq!(place(&mut timeline, 0.0), before);
    }

    #[test]
    fn a_height_that_changes_above_the_anchor_moves_nothing_below_it() {
        let mut timeline = timeline(10);
        place(&mut timeline, 0.0);
        let before = place(&mut timeline, 75.0);
        let (held, _) = before[1];
        timeline.forget(before[0].0);
        timeline.place(VIEW, 0.0, &mut |index| if index == 4 { 90.0 } else { 30.0 });
        let after: Vec<_> = timeline.placed().iter().map(|(i, top)| (timeline.keys[*i], *top)).collect();
        let top = |list: &[(u32, f32)]| list.iter().find(|(key, _)| *key == held).map(|(_, top)| *top);
        assert_eq!(top(&after), top(&before));
    }

    #[test]
    fn scrolling_stops_at_both_ends() {
        let mut timeline = timeline(10);
        place(&mut timeline, 0.0);
        assert_eq!(place(&mut timeline, 100_000.0).first(), Some(&(0, PAD.0)));
        assert!(timeline.at_top());
        assert_eq!(place(&mut timeline, -100_000.0).last(), Some(&(9, 58.0)));
        assert!(timeline.at_bottom());
    }

    #[test]
    fn few_items_stand_at_the_bottom() {
        let mut timeline = timeline(2);
        assert_eq!(place(&mut timeline, 40.0), [(0, 28.0), (1, 58.0)]);
        assert!(timeline.at_bottom() && timeline.at_top());
        assert_eq!(timeline.bar(VIEW), None);
        assert_eq!(place(&mut Timeline::default(), 0.0), []);
    }

    #[test]
    fn an_anchor_that_is_deleted_hands_over_to_a_neighbour() {
        let mut timeline = timeline(10);
        place(&mut timeline, 0.0);
        let before = place(&mut timeline, 75.0);
        let held = before.iter().find(|(_, top)| *top >= 0.0).unwrap().0;
        timeline.set_items((0..10).filter(|key| *key != held).collect());
        let after = place(&mut timeline, 0.0);
        assert_eq!(after.first(), before.first());
    }

    #[test]
    fn the_view_holds_on_to_what_keeps_its_place() {
        let mut timeline = Timeline::default();
        timeline.set_items([5000].into_iter().chain(0..10).collect());
        place(&mut timeline, 0.0);
        let before = place(&mut timeline, 10_000.0);
        assert_eq!(before.first(), Some(&(5000, PAD.0)));
        timeline.set_items([5000].into_iter().chain(500..520).chain(0..10).collect());
        assert_eq!(place(&mut timeline, 0.0).last(), before.last());
    }

    #[test]
    fn the_bar_leads_where_it_says() {
        let mut timeline = timeline(1000);
        place(&mut timeline, 0.0);
        timeline.jump(0.5);
        let first = place(&mut timeline, 0.0)[0].0;
        assert!((498..=502).contains(&first), "{first}");
        let (above, seen) = timeline.bar(VIEW).unwrap();
        assert!((above - 0.5).abs() < 0.01 && seen < 0.01);
    }
}
