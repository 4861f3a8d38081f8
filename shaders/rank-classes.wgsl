// The best classes of each image: the largest scores in order, the lower index first where scores are equal, and their
// probabilities, those of a softmax over all classes where the scores are logits.
//
// src  [images][classes4]      four scores a vec4; lanes past `classes` are kept out
// dst  [images][count]         index of the class, bits of its probability as float32
//
// One workgroup ranks one image. Each invocation holds the best class, not yet written, of every WORKGROUP_X-th vec4.
// In each of `count` rounds the best of those is found in workgroup memory and written, and the invocation that held it
// looks for its next one. Scores are compared as integers in the order of the numbers, so that infinities and NaN, which
// a compiler may suppose away, have places: NaN above all. Where a score, or for logits the sum of exponentials, is NaN,
// every probability is NaN, of the classes 0 … count − 1.
struct Shape { classes: u32, classes4: u32, count: u32 }

override WORKGROUP_X: u32;
override GROUPS: u32;

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> src: array<Src4>;
@group(0) @binding(2) var<storage, read_write> dst: array<vec2u>;

// A place in the order: the key of a score, and the index of its class. Key 0 is of no score.
struct Ranked { key: u32, index: u32 }

const ABOVE_ALL = 0xffffffffu;
const NOT_A_NUMBER = 0xfffffffeu;
const PLUS_INFINITY = 0xff800000u;
const MINUS_INFINITY = 0x007fffffu;

var<workgroup> held: array<Ranked, WORKGROUP_X>;
var<workgroup> finalists: array<Ranked, GROUPS>;
var<workgroup> shares: array<f32, WORKGROUP_X>;

// Keys are in the order of the numbers; −0 has that of 0.
fn key_of(score: f32) -> u32 {
  let bits = bitcast<u32>(score);
  if ((bits << 1u) > 0xff000000u) { return NOT_A_NUMBER; }
  if (bits >= 0x80000000u) { return select(~bits, 0x80000000u, bits == 0x80000000u); }
  return bits | 0x80000000u;
}

fn bits_of(key: u32) -> u32 { return select(~key, key & 0x7fffffffu, key >= 0x80000000u); }

fn is_before(a: Ranked, b: Ranked) -> bool { return a.key > b.key || (a.key == b.key && a.index < b.index); }

// The best of this invocation's classes after `last`.
fn next_of(base: u32, lane: u32, last: Ranked) -> Ranked {
  var best = Ranked(0u, 0xffffffffu);
  for (var i = lane; i < shape.classes4; i += WORKGROUP_X) {
    let scores = load_src(src[base + i]);
#unroll c 4
    let candidate$c = Ranked(key_of(scores[$c]), 4u * i + $(c)u);
    if (candidate$c.index < shape.classes && is_before(last, candidate$c) && is_before(candidate$c, best)) {
      best = candidate$c;
    }
#end
  }
  return best;
}

// Of all that is held; ends with a barrier after which `held` may be written.
fn best_held(lane: u32) -> Ranked {
  workgroupBarrier();
  if (lane < GROUPS) {
    var best = held[lane];
    for (var i = lane + GROUPS; i < WORKGROUP_X; i += GROUPS) {
      let other = held[i];
      if (is_before(other, best)) { best = other; }
    }
    finalists[lane] = best;
  }
  workgroupBarrier();
  var best = finalists[0];
  for (var i = 1u; i < GROUPS; i++) {
    let other = finalists[i];
    if (is_before(other, best)) { best = other; }
  }
  return best;
}

#if LOGITS
// e^(score − largest). Halves, as the difference itself may be infinite; e^-128 is less than any float32.
fn exponential(score: f32, largest: f32) -> f32 { return exp(2.0 * max(0.5 * score - 0.5 * largest, -64.0)); }

// Over all classes of the image.
fn sum_of_exponentials(base: u32, lane: u32, largest: f32) -> f32 {
  var sum = 0.0;
  for (var i = lane; i < shape.classes4; i += WORKGROUP_X) {
    let scores = load_src(src[base + i]);
#unroll c 4
    if (4u * i + $(c)u < shape.classes) { sum += exponential(scores[$c], largest); }
#end
  }
  shares[lane] = sum;
  workgroupBarrier();
  var total = 0.0;
  for (var i = 0u; i < WORKGROUP_X; i++) { total += shares[i]; }
  return total;
}
#endif

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let base = workgroup.x * shape.classes4;
  var mine = next_of(base, lane, Ranked(ABOVE_ALL, 0u));
  held[lane] = mine;
  var best = best_held(lane);
#if LOGITS
  let largest = bitcast<f32>(bits_of(best.key));
  let sum = sum_of_exponentials(base, lane, largest);
  let is_number = best.key < PLUS_INFINITY && best.key != MINUS_INFINITY;
#else
  let is_number = best.key != NOT_A_NUMBER;
#endif
  for (var rank = 0u; rank < shape.count; rank++) {
    if (lane == 0u) {
      var bits = bits_of(best.key);
#if LOGITS
      bits = bitcast<u32>(exponential(bitcast<f32>(bits), largest) / sum);
#endif
      let written = select(vec2u(rank, 0x7fc00000u), vec2u(best.index, bits), is_number);
      dst[workgroup.x * shape.count + rank] = written;
    }
    if (mine.index == best.index) {
      mine = next_of(base, lane, best);
      held[lane] = mine;
    }
    best = best_held(lane);
  }
}
