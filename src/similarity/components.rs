//! Pairs → groups: union-find with the smallest item as root, so that the order of pairs does not matter.

/// Groups of items 0..n.
#[derive(Clone, Debug)]
pub struct Components {
    parent: Vec<u32>,
}

impl Components {
    /// Makes `n` groups of one item each.
    pub fn new(n: usize) -> Components {
        Components { parent: (0..n as u32).collect() }
    }

    /// Returns the smallest item of the group that `item` is in.
    pub fn root(&mut self, mut item: u32) -> u32 {
        while self.parent[item as usize] != item {
            let up = self.parent[self.parent[item as usize] as usize];
            self.parent[item as usize] = up;
            item = up;
        }
        item
    }

    /// Joins the groups of two items.
    pub fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.parent[a.max(b) as usize] = a.min(b);
    }

    /// Returns the root of every item.
    pub fn into_roots(mut self) -> Vec<u32> {
        (0..self.parent.len() as u32).map(|item| self.root(item)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn items_alone_are_their_own_roots() {
        assert_eq!(Components::new(3).into_roots(), [0, 1, 2]);
    }

    proptest! {
        #[test]
        fn roots_are_the_smallest_items_and_ignore_the_order_of_pairs(
            (joins, shuffled) in prop::collection::vec((0u32..50, 0u32..50), 0..60)
                .prop_flat_map(|joins| (Just(joins.clone()), Just(joins).prop_shuffle()))
        ) {
            let roots = |joins: &[(u32, u32)]| {
                let mut components = Components::new(50);
                joins.iter().for_each(|(a, b)| components.join(*b, *a));
                components.into_roots()
            };
            let found = roots(&joins);
            prop_assert_eq!(&found, &roots(&shuffled));
            prop_assert!(joins.iter().all(|(a, b)| found[*a as usize] == found[*b as usize]));
            prop_assert!(found.iter().enumerate().all(|(item, root)| *root as usize <= item && found[*root as usize] == *root));
        }
    }
}
