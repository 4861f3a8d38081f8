// Stored integers of several tensors one after another along an axis, each by a table of its own (TABLES) or as they are.
//
// src0 …   what an input has from one place of the axis to the next of what lies before it: `size` units
// parts    [INPUTS]    the unit at which an input begins among those of dst, and how many it has
// table    [INPUTS][64]    four entries to a word
// dst      likewise
//
// A unit is a word; with BY_CHANNEL, along channels that are no multiples of four, a channel. One invocation computes a word.
struct Shape { words: u32, units: u32, stride: u32 }

@group(0) @binding(0) var<uniform> shape: Shape;
#unroll i INPUTS
@group(0) @binding($(i+1)) var<storage, read> src$i: array<u32>;
#end
@group(0) @binding($(INPUTS+1)) var<storage, read> parts: array<vec2u>;
#if TABLES
@group(0) @binding($(INPUTS+2)) var<storage, read> table: array<u32>;
#include int8-entry
#endif
@group(0) @binding($(INPUTS+TABLES+2)) var<storage, read_write> dst: array<u32>;

fn tabled(stored: vec4i, input: u32) -> vec4i {
#if TABLES
  return entries(stored + i32(128u + 256u * input));
#else
  return stored;
#endif
}

#if BY_CHANNEL
fn channel(pixel: u32, c: u32) -> i32 {
#unroll i INPUTS
  let c$i = c - parts[$i].x;
  if (c >= parts[$i].x && c$i < parts[$i].y) {
    return tabled(integers_of(src$i[pixel * ((parts[$i].y + 3u) / 4u) + c$i / 4u]), $(i)u)[c$i % 4u];
  }
#end
  return 0;
}

fn word(at: u32) -> u32 {
  let words = (shape.units + 3u) / 4u;
  let pixel = at / words;
  let c = 4u * (at - pixel * words);
  return word_of(vec4i(channel(pixel, c), channel(pixel, c + 1u), channel(pixel, c + 2u), channel(pixel, c + 3u)));
}
#else
fn word(at: u32) -> u32 {
  let before = at / shape.units;
  let unit = at - before * shape.units;
#unroll i INPUTS
  let unit$i = unit - parts[$i].x;
  if (unit >= parts[$i].x && unit$i < parts[$i].y) {
    return word_of(tabled(integers_of(src$i[before * parts[$i].y + unit$i]), $(i)u));
  }
#end
  return 0u;
}
#endif

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let at = id.y * shape.stride + id.x;
  if (at < shape.words) { dst[at] = word(at); }
}
