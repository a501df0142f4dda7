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
