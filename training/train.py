#!/usr/bin/env python3
"""Trains the boilerplate model, cross-validated by site.

    train.py ROWS WORK OUT SET...

ROWS is the built example `boilerplate_rows`, WORK a folder for scratch files, OUT the model file to write, and every SET
JSONL of pages with labelled lines. Writes OUT (trained on everything), WORK/fold-N.bin (trained without fold N) and
WORK/folds.tsv (the fold of every site): `cross_validate.py`, or `retold scan --model` for a whole run, judges the pages of
fold N's sites with fold-N.bin, which never saw them.
Deterministic: fixed seeds, folds by a hash of the site, one order. `SEED=N` in the environment draws all that is drawn
(rows, pages between whole and cleaned, the trees' samples) otherwise: what differs between seeds is noise, which a change
must exceed.
"""
import gzip, hashlib, json, os, random, struct, subprocess, sys

import lightgbm
import numpy as np
import scipy.optimize
import scipy.sparse

from folds import FOLDS, fold_of

THREADS = 1
SEED = int(os.environ.get("SEED", 0))
LEXICAL_BITS = 15
MAGIC, VERSION = b"rtbm", 2
EVIDENCE, KINDS = 10, 21

# Parameters of the sum of both forests and of the chain, in the order of the file.
CHAIN = {"own": 0.35, "full_words": 20.0, "first": 0.4, "long": 0.8}
# Log odds of staying in a state of the chain; the careful judge listens more to neighbors, since a line that it takes
# from the middle of an article is what it must not do.
STAY, CAREFUL_STAY = 1.1, 2.5
# Calibrated log odds from which a block is flagged; of extracted pages the careful judge may take content from this share.
THRESHOLD, CAREFUL_LOST = 0.3, 0.04
# What a block that is all cue phrase says beforehand, and how many lines' worth of evidence that is.
SAYS, SAYS_WEIGHT = 4.0, 20.0

LOOK = dict(objective="binary", learning_rate=0.1, num_leaves=31, max_depth=7, min_data_in_leaf=80, feature_fraction=0.4,
            bagging_fraction=0.6, bagging_freq=1, lambda_l2=5.0, max_bin=63, verbose=-1, seed=7 + SEED,
            deterministic=True, force_row_wise=True, num_threads=THREADS)
LOOK_TREES = int(os.environ.get("LOOK_TREES", 120))
CONTEXT = dict(LOOK, min_data_in_leaf=120, lambda_l2=10.0, learning_rate=0.07, feature_fraction=0.6, bagging_fraction=0.8)
CONTEXT_TREES = int(os.environ.get("CONTEXT_TREES", 120))


def rows(step, *more):
    subprocess.run([ROWS, step, WORK, *more, *SETS], check=True)


def load(name, columns=None, dtype="<f4"):
    values = np.fromfile(os.path.join(WORK, name), dtype=dtype)
    return values if columns is None else values.reshape(-1, columns)


def save(name, values):
    values.astype("<f4").tofile(os.path.join(WORK, name))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def logistic(matrix, label, weight, penalty):
    """Weights of a logistic regression without intercept column, by L-BFGS."""
    columns = matrix.shape[1]

    def loss(theta):
        odds = matrix @ theta[:-1] + theta[-1]
        value = np.sum(weight * (np.logaddexp(0, odds) - label * odds)) + penalty * np.dot(theta[:-1], theta[:-1])
        error = weight * (sigmoid(odds) - label)
        return value, np.append(matrix.T @ error + 2 * penalty * theta[:-1], error.sum())

    theta = scipy.optimize.minimize(loss, np.zeros(columns + 1), jac=True, method="L-BFGS-B", options={"maxiter": 40}).x
    return theta[:-1]


def trees(booster):
    """The trees of a booster, as nodes (feature, threshold, left, right) in order and leaf values."""
    out = []
    for tree in booster.dump_model()["tree_info"]:
        nodes, leaves = [], []

        def walk(node):
            if "leaf_value" in node:
                leaves.append(node["leaf_value"])
                return ~(len(leaves) - 1)
            at = len(nodes)
            nodes.append(None)
            assert node["decision_type"] == "<="
            left, right = walk(node["left_child"]), walk(node["right_child"])
            threshold = np.float32(node["threshold"])
            if float(threshold) > node["threshold"]:
                threshold = np.nextafter(threshold, np.float32(-np.inf))
            nodes[at] = (node["split_feature"], float(threshold), left, right)
            return at

        if "leaf_value" in tree["tree_structure"]:
            continue
        walk(tree["tree_structure"])
        out.append((nodes, leaves))
    return out


def forest_bytes(booster):
    forest = trees(booster)
    scale = max(abs(v) for _, leaves in forest for v in leaves) / 32767
    out = [struct.pack("<ffH", 0.0, scale, len(forest))]
    for nodes, leaves in forest:
        out.append(struct.pack("<B", len(nodes)))
        out += [struct.pack("<Bbbf", f, l, r, t) for f, t, l, r in nodes]
        out += [struct.pack("<h", round(v / scale)) for v in leaves]
    return b"".join(out)


def model_bytes(lexical, look, context, repetition, says, decisions):
    scale = np.abs(lexical).max() / 127
    parameters = [*repetition, *says, *CHAIN.values(), *decisions]
    return b"".join([
        MAGIC, struct.pack("<HHHH", VERSION, look.num_feature(), context.num_feature(), len(parameters)),
        struct.pack(f"<{len(parameters)}f", *parameters), struct.pack("<f", scale),
        np.round(lexical / scale).astype(np.int8).tobytes(), forest_bytes(look), forest_bytes(context)])


def quantized(lexical):
    scale = np.abs(lexical).max() / 127
    return np.float32(scale) * np.round(lexical / scale)


def boost(parameters, trees, matrix, label, weight):
    data = lightgbm.Dataset(matrix, label, weight=weight, free_raw_data=True)
    return lightgbm.train(dict(parameters, boost_from_average=False), data, num_boost_round=trees)


def repetition_weights(matrix, offset, label, weight):
    """Weights of the counts on top of log odds, each of the sign that it must have by its meaning."""
    bounds = [(0, 3)] * 5 + [(-3, 0.5), (-1.5, -0.4), (-0.5, 0), (0, 2), (0, 1)]

    def loss(theta):
        odds = matrix @ theta + offset
        value = np.sum(weight * (np.logaddexp(0, odds) - label * odds)) + 5.0 * np.dot(theta, theta)
        return value, matrix.T @ (weight * (sigmoid(odds) - label)) + 10.0 * theta

    return scipy.optimize.minimize(loss, np.zeros(matrix.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds).x


def says_weights(matrix, offset, label, weight):
    """Weights of the kinds' cue phrases on top of log odds: they begin at what the phrases were chosen for."""

    def loss(theta):
        odds = matrix @ theta + offset
        away = theta - SAYS
        value = np.sum(weight * (np.logaddexp(0, odds) - label * odds)) + SAYS_WEIGHT * np.dot(away, away)
        return value, matrix.T @ (weight * (sigmoid(odds) - label)) + 2 * SAYS_WEIGHT * away

    start = np.full(matrix.shape[1], SAYS)
    return scipy.optimize.minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0, 5)] * len(start)).x


def smooth(odds, words, page, stay):
    """The chain of `chain.rs` over all pages at once, before calibration."""
    own = CHAIN["own"] * np.sqrt(np.clip(words / CHAIN["full_words"], 0.02, 1)) * odds
    starts = np.flatnonzero(np.diff(page, prepend=-1))
    ends = np.append(starts[1:], len(page))
    order = np.argsort(starts - ends, kind="stable")
    starts, ends = starts[order], ends[order]
    out = odds.copy()
    for step, (first, sign) in {1: (starts, 1), -1: (ends - 1, -1)}.items():
        message = np.zeros(len(starts))
        for at in range((ends - starts).max()):
            open_pages = np.count_nonzero(ends - starts > at)
            here = first[:open_pages] + sign * at
            message = message[:open_pages]
            out[here] += message
            x = np.clip(message + own[here], -30, 30)
            message = np.log(np.exp(x + stay) + 1) - np.log(np.exp(x) + np.exp(stay))
    return out


def calibration(odds, label, weight):
    """Slope and offset that make log odds calibrated."""

    def loss(theta):
        z = theta[0] * odds + theta[1]
        error = weight * (sigmoid(z) - label)
        return np.sum(weight * (np.logaddexp(0, z) - label * z)), np.array([np.dot(error, odds), error.sum()])

    return scipy.optimize.minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B").x


def log(*what):
    print(*what, file=sys.stderr, flush=True)


def mix(source, path):
    """Writes pages between whole and cleaned: of every run of boilerplate in the whole pages only a stretch is left.

    Extractors leave some of the chrome, each another part; a model that saw only two of them learns their habits.
    """
    draw = random.Random(5 + SEED)
    with gzip.open(source, "rt", encoding="utf-8") as pages, open(path, "w", encoding="utf-8") as out:
        for line in pages:
            record = json.loads(line)
            lines, runs = [], []
            for line in record["lines"]:
                chrome = line["label"] != "content"
                if not runs or runs[-1][0] != chrome:
                    runs.append((chrome, []))
                runs[-1][1].append(line)
            for at, (chrome, run) in enumerate(runs):
                if chrome:
                    kept = round(draw.choice((0, 0, 0.1, 0.3, 1)) * min(len(run), 40)) if len(run) > 1 else draw.randrange(2)
                    start = {0: len(run) - kept, len(runs) - 1: 0}.get(at, draw.randint(0, len(run) - kept))
                    run = run[start:start + kept]
                lines += run
            if any(line["label"] == "content" for line in lines):
                record.update(id=record["page"] + ":mixed", level="mixed", lines=lines)
                out.write(json.dumps(record, ensure_ascii=False) + "\n")


def main():
    table = [line.rstrip("\n").split("\t") for line in open(os.path.join(WORK, "lines.tsv"), encoding="utf-8")]
    page = np.array([int(r[0]) for r in table])
    label = np.array([{"content": 0, "boilerplate": 1}.get(r[3], -1) for r in table])
    kind = np.array([r[4] for r in table])
    words = np.array([float(r[5]) for r in table])
    mixed = np.array([r[1].endswith(":mixed") for r in table])
    site_fold = {}
    fold = np.array([site_fold.setdefault(r[2], fold_of(r[2])) for r in table])
    with open(os.path.join(WORK, "folds.tsv"), "w", encoding="utf-8") as out:
        out.writelines(f"{site}\t{number}\n" for site, number in sorted(site_fold.items()))
    ids = [r[1] for r in table]
    judged = label >= 0
    # Pages of which a few phrases are labelled; the figures of the rest do not mix with theirs.
    snippets = (np.bincount(page, judged) < 0.5 * np.bincount(page))[page]
    # A line weighs by the root of its length, and the lines of a page less the more there are.
    weight = np.sqrt(np.clip(words, 1, 100))
    total = np.bincount(page[judged], weight[judged], minlength=page.max() + 1)
    weight = weight * (300 / np.maximum(total[page], 50)) ** 0.5
    weight[(label == 0)] *= CONTENT_WEIGHT
    weight[mixed] *= 0.5
    weight[(kind == "headline")] *= 2
    weight /= weight[judged].mean()

    # Of a whole page's short menu lines a third is enough, at three times the weight.
    draw = np.random.default_rng(1 + SEED).random(len(table))
    menu = (label == 1) & (words < 8) & np.array([i.endswith((":full", ":mixed")) for i in ids])
    use_row = judged & (~menu | (draw < 1 / 3))
    weight[menu] *= 3

    # Words.
    counts = load("counts.f32").astype(np.int64)
    pointers = np.concatenate([[0], np.cumsum(counts)])
    buckets = load("buckets.u32", dtype="<u4")
    values = np.repeat(1 / np.sqrt(np.maximum(counts, 1)), counts)
    bags = scipy.sparse.csr_matrix((values, buckets, pointers), shape=(len(table), 1 << LEXICAL_BITS))
    bags.sum_duplicates()
    lexical = np.zeros(len(table))
    lexicals = []
    for k in range(FOLDS + 1):
        use = use_row & (fold != k)
        theta = quantized(logistic(bags[use], label[use], weight[use], 1.0))
        lexicals.append(theta)
        if k < FOLDS:
            lexical[fold == k] = bags[fold == k] @ theta
        log("words", k)
    save("lexical.f32", lexical)
    rows("look")

    look = load("look.f32").reshape(len(table), -1)
    repetition = load("repetition.f32", EVIDENCE)
    first = np.zeros(len(table))
    looks = []
    for k in range(FOLDS + 1):
        use = use_row & (fold != k)
        looks.append(boost(LOOK, LOOK_TREES, look[use], label[use], weight[use]))
        if k < FOLDS:
            first[fold == k] = looks[k].predict(look[fold == k], raw_score=True)
        log("look", k)
    # Counts are learned where a site's pages stand behind one extractor, as in a crawl.
    crawl = use_row & np.array([i.endswith((":full", ":sites")) for i in ids])
    log("look loss", np.average(np.logaddexp(0, first[judged]) - label[judged] * first[judged], weights=weight[judged]))
    counts_weights = repetition_weights(repetition[crawl], first[crawl], label[crawl], weight[crawl])
    log("repetition", counts_weights.round(2))
    # Golden bodies end early or leave out what reads like the article, and no model should learn that from the few lines
    # of which the first forest, which never saw their site, is sure of the contrary.
    doubted = weight * np.where(np.where(label == 1, first < -1.5, first > 1.5), 0.3, 1)
    # Half of the pages are learned as if they stood alone, so that a page alone is judged as well.
    alone = (np.array([int.from_bytes(hashlib.sha256(i.encode()).digest()[4:6], "big") for i in ids]) % 2).astype(bool)
    added = repetition @ counts_weights
    save("first.f32", first)
    save("added.f32", np.where(alone, 0, added))
    rows("context")
    context = load("context.f32").reshape(len(table), -1)
    save("added.f32", added)
    rows("context")
    context_full = load("context.f32").reshape(len(table), -1)
    second = np.zeros(len(table))
    contexts = []
    for k in range(FOLDS + 1):
        use = use_row & (fold != k)
        contexts.append(boost(CONTEXT, CONTEXT_TREES, context[use], label[use], doubted[use]))
        if k < FOLDS:
            second[fold == k] = contexts[k].predict(context_full[fold == k], raw_score=True)
        log("context", k)
    save("second.f32", second)
    log("context loss", np.average(np.logaddexp(0, second[judged]) - label[judged] * second[judged], weights=weight[judged]))
    counts_weights = repetition_weights(repetition[crawl], second[crawl], label[crawl], doubted[crawl])
    log("repetition on context", counts_weights.round(2))
    long = np.minimum(words / 25, 1) - 0.4
    odds = second + CHAIN["first"] * (first - second) + repetition @ counts_weights - CHAIN["long"] * long
    says = load("says.f32", KINDS)
    known = use_row & ~mixed
    said = says_weights(says[known], odds[known], label[known], doubted[known])
    log("says", said.round(2))
    # Calibrated on lines of whole and of extracted pages, each half.
    whole = judged & np.array([i.endswith(":full") for i in ids])
    residue = judged & ~snippets & np.array([i.endswith(":residue") for i in ids])
    both = whole | residue
    share = np.where(whole, 1 / whole.sum(), 1 / max(residue.sum(), 1))
    body = residue & (label == 0) & (kind != "headline")
    decisions = []
    for stay, careful in (STAY, False), (CAREFUL_STAY, True):
        # The careful judge takes no line for what it says alone.
        smoothed = smooth(odds if careful else odds + says @ said, words, page, stay)
        slope, offset = calibration(smoothed[both], label[both], share[both])
        threshold = THRESHOLD
        if careful:
            # The highest odds of a line of content on every extracted page: what a page is lost at.
            highest = np.full(page.max() + 1, -np.inf)
            np.maximum.at(highest, page[body], slope * smoothed[body] + offset)
            highest = highest[np.unique(page[residue & (label == 0)])]
            threshold = np.quantile(highest, 1 - CAREFUL_LOST)
        decisions += [stay, slope, offset, threshold]
    log("decisions", np.round(decisions, 3))
    for k in range(FOLDS + 1):
        path = OUT if k == FOLDS else os.path.join(WORK, f"fold-{k}.bin")
        open(path, "wb").write(model_bytes(lexicals[k], looks[k], contexts[k], counts_weights, said, decisions))
    gain = sorted(zip(looks[-1].feature_importance("gain"), range(look.shape[1])), reverse=True)[:25]
    log("look gain", [(c, int(g)) for g, c in gain])
    gain = sorted(zip(contexts[-1].feature_importance("gain"), range(context.shape[1])), reverse=True)[:25]
    log("context gain", [(c, int(g)) for g, c in gain])


CONTENT_WEIGHT = float(os.environ.get("CONTENT_WEIGHT", 1.3))
if __name__ == "__main__":
    ROWS, WORK, OUT, *SETS = sys.argv[1:]
    os.makedirs(WORK, exist_ok=True)
    for path in [path for path in SETS if ".full." in os.path.basename(path)]:
        mix(path, os.path.join(WORK, "mixed.jsonl"))
        SETS.append(os.path.join(WORK, "mixed.jsonl"))
    rows("words")
    main()
