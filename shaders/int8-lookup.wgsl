// Each stored integer q becomes entry q + 128 of a table, of one for all channels or one for each (`table_stride` 256).
//
// src    [images][pixels][channels4]     four channels to a word
// table  [64], or [channels][64]                            four entries to a word
// dst    as src
struct Shape { pixels: u32, channels4: u32, table_stride: i32, last_channel: i32 }

#include elementwise DST_BINDING=3
@group(0) @binding(2) var<storage, read> table: array<u32>;
#include int8-entry

fn output(at: u32, id: vec3u) -> vec4f {
  let channel = min(vec4i(4 * i32(id.x)) + vec4i(0, 1, 2, 3), vec4i(shape.last_channel));
  return vec4f(entries(integers_of(src[at]) + 128 + shape.table_stride * channel));
}
