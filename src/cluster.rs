//! Groups of documents that tell the same story, each held together by its representative.

use crate::similarity::VerifiedPair;

/// A document of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The document.
    pub item: u32,
    /// Words without boilerplate: how complete it is.
    pub content_words: u32,
}

/// One cluster: documents that all match its representative.
#[derive(Clone, Debug, PartialEq)]
pub struct Cluster {
    /// The most complete text; ties by order.
    pub representative: u32,
    /// All members in order, the representative among them.
    pub members: Vec<u32>,
}

/// Splits one component into clusters by leaders, the longest first. (Skeleton; to be filled in.)
///
/// `members` ascend by item; `pairs` are the component's verified pairs. `verify` measures a pair that was no candidate.
/// Every member is in exactly one of the clusters returned, which come in the order of their first members.
pub fn split(
    members: &[Member],
    pairs: &[VerifiedPair],
    verify: &mut dyn FnMut(u32, u32) -> VerifiedPair,
) -> Vec<Cluster> {
    let _ = (pairs, verify);
    let longest = members.iter().max_by_key(|member| (member.content_words, std::cmp::Reverse(member.item)));
    let Some(longest) = longest else { return Vec::new() };
    vec![Cluster { representative: longest.item, members: members.iter().map(|member| member.item).collect() }]
}

/// What the choice of the copy to keep needs of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// The document.
    pub item: u32,
    /// Words without boilerplate.
    pub content_words: u32,
    /// Its date as given, where the policy asks for it.
    pub date: Option<String>,
    /// Its site.
    pub site: Option<String>,
}

/// The copy that is kept, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The copy; none when the policy keeps none.
    pub kept: Option<u32>,
    /// Why that one, in words.
    pub reason: String,
}

/// Chooses the copy to keep. (Skeleton; to be filled in.)
pub fn choose(config: &crate::config::Config, representative: u32, copies: &[Copy]) -> Choice {
    let _ = (config, copies);
    Choice { kept: Some(representative), reason: "the most complete text".to_owned() }
}
