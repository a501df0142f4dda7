//! Charts as inline SVG, each with its figures as text for those who cannot see it.

use crate::output::Summary;
use crate::report::gather::{BARS, Gathered};
use crate::report::html::{count, escape, percent};

/// Names of the classes of cluster sizes.
const SIZES: [&str; 7] = ["2", "3", "4", "5–9", "10–99", "100–999", "1,000+"];

/// Width of all charts, in their own units; they scale with the page, and letters are larger on a phone: all have room.
const WIDTH: usize = 640;

/// Returns the words of each kind of boilerplate as bars.
pub(super) fn kinds(summary: &Summary) -> String {
    let mut kinds: Vec<_> = summary.kinds.iter().filter(|kind| kind.words > 0).collect();
    kinds.sort_by_key(|kind| std::cmp::Reverse(kind.words));
    let Some(most) = kinds.first().map(|kind| kind.words) else {
        return "<p class=\"none\">No boilerplate was found.</p>".to_owned();
    };
    let mut bars = String::new();
    let mut told = Vec::new();
    for (at, kind) in kinds.iter().enumerate() {
        let y = at * 26;
        let width = (kind.words as f64 / most as f64 * 300.0).max(1.0);
        let class = if kind.removed { "bar" } else { "bar stays" };
        let name = escape(&kind.kind.replace('_', " "));
        bars.push_str(&format!(
            "<text x=\"185\" y=\"{}\" class=\"name\">{name}</text><rect class=\"{class}\" x=\"195\" y=\"{}\" \
             width=\"{width:.1}\" height=\"16\" rx=\"2\"/><text x=\"{:.1}\" y=\"{}\" class=\"value\">{}</text>",
            y + 17,
            y + 5,
            203.0 + width,
            y + 17,
            count(kind.words)
        ));
        told.push(format!("{name} {}", count(kind.words)));
    }
    figure(
        "kinds-chart",
        "Words of boilerplate by kind",
        &format!("Words of boilerplate by kind: {}.", told.join(", ")),
        kinds.len() * 26 + 8,
        &bars,
    )
}

/// Returns the histogram of similarities, with the threshold drawn and the range hatched where pairs may be missing.
pub(super) fn similarities(gathered: &Gathered, threshold: f64, recall: f64, measure: &str) -> String {
    let most = gathered.joined.iter().zip(&gathered.apart).map(|(joined, apart)| joined + apart).max().unwrap_or(0);
    if most == 0 {
        return "<p class=\"none\">No two documents are alike enough to be listed.</p>".to_owned();
    }
    let (left, right, top, bottom) = (24.0, 616.0, 22.0, 190.0);
    let x = |value: f64| left + value * (right - left);
    // Square roots keep a few pairs visible beside thousands.
    let height = |pairs: u64| (pairs as f64 / most as f64).sqrt() * (bottom - top);
    let mut drawing = format!(
        "<defs><pattern id=\"hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" \
         patternTransform=\"rotate(45)\"><line class=\"hatch\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"6\"/></pattern></defs>\
         <rect x=\"{left}\" y=\"{top}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"url(#hatch)\"/>",
        x(threshold) - left,
        bottom - top
    );
    for bar in 0..BARS {
        let (joined, apart) = (gathered.joined[bar], gathered.apart[bar]);
        let (from, to) = (bar as f64 / BARS as f64, (bar + 1) as f64 / BARS as f64);
        let whole = height(joined + apart);
        let lower = if joined + apart == 0 { 0.0 } else { whole * joined as f64 / (joined + apart) as f64 };
        for (class, y, tall) in [("bar", bottom - lower, lower), ("bar apart", bottom - whole, whole - lower)] {
            if tall > 0.0 {
                drawing.push_str(&format!(
                    "<rect class=\"{class}\" x=\"{:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{tall:.1}\"><title>{from:.2} \
                     to {to:.2}: {} joined, {} not</title></rect>",
                    x(from) + 0.5,
                    x(to) - x(from) - 1.0,
                    count(joined),
                    count(apart)
                ));
            }
        }
    }
    drawing.push_str(&format!("<line class=\"axis\" x1=\"{left}\" y1=\"{bottom}\" x2=\"{right}\" y2=\"{bottom}\"/>"));
    for tick in 0..=5 {
        let value = f64::from(tick) / 5.0;
        drawing.push_str(&format!("<text class=\"tick\" x=\"{:.1}\" y=\"206\">{value:.1}</text>", x(value)));
    }
    let at = x(threshold);
    let anchor = if threshold > 0.7 { "value end" } else { "value" };
    let nudge = if threshold > 0.7 { -6.0 } else { 6.0 };
    drawing.push_str(&format!(
        "<line class=\"cut\" x1=\"{at:.1}\" y1=\"4\" x2=\"{at:.1}\" y2=\"{bottom}\"/><text class=\"{anchor}\" x=\"{:.1}\" \
         y=\"15\">threshold {threshold}</text>",
        at + nudge
    ));
    let below = ((threshold * BARS as f64).round() as usize).min(BARS);
    let sum = |bars: &[u64]| bars.iter().sum::<u64>();
    let told = format!(
        "Listed pairs by {measure}. At {threshold} and above: {} joined, {} not. Below: {} joined by the share of the \
         shorter text, {} not.",
        count(sum(&gathered.joined[below..])),
        count(sum(&gathered.apart[below..])),
        count(sum(&gathered.joined[..below])),
        count(sum(&gathered.apart[..below]))
    );
    let chart = figure("similarity-chart", &format!("Pairs by {measure}"), &told, 212, &drawing);
    format!(
        "{chart}<p class=\"note\"><span class=\"key joined\"></span>one story <span class=\"key parted\"></span>alike, not \
         joined <span class=\"key hatched\"></span>below the threshold: pairs may be \
         missing there. Heights are square roots of counts. Of the pairs at the threshold, {} are expected to be found.</p>",
        percent(recall)
    )
}

/// Returns how many clusters are of which size.
pub(super) fn cluster_sizes(gathered: &Gathered) -> String {
    let most = gathered.cluster_sizes.iter().copied().max().unwrap_or(0);
    if most == 0 {
        return "<p class=\"none\">Every document stands alone.</p>".to_owned();
    }
    let mut bars = String::new();
    let mut told = Vec::new();
    let step = WIDTH / SIZES.len();
    for (at, (name, clusters)) in SIZES.iter().zip(gathered.cluster_sizes).enumerate() {
        let tall = (clusters as f64 / most as f64).sqrt() * 120.0;
        let middle = at * step + step / 2;
        bars.push_str(&format!(
            "<rect class=\"bar\" x=\"{}\" y=\"{:.1}\" width=\"52\" height=\"{tall:.1}\" rx=\"2\"/><text class=\"tick\" \
             x=\"{middle}\" y=\"{:.1}\">{}</text><text class=\"tick\" x=\"{middle}\" y=\"168\">{name}</text>",
            middle - 26,
            148.0 - tall,
            140.0 - tall,
            count(clusters)
        ));
        told.push(format!("{clusters} of {name}"));
    }
    let told = format!("Clusters by documents in them: {}.", told.join(", "));
    figure("sizes-chart", "Clusters by size", &told, 176, &bars)
}

fn figure(id: &str, title: &str, told: &str, height: usize, drawing: &str) -> String {
    format!(
        "<figure><figcaption>{title}</figcaption><svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-labelledby=\"{id}\"><title id=\"{id}\">{told}</title>{drawing}</svg></figure>"
    )
}
