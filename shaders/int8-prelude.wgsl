// Put before every kernel of stored integers, in the place of prelude.wgsl. Tensors of them are bytes, four channels to a word,
// the first lowest. A kernel that reads or writes real numbers says so (REAL_SRC, REAL_DST); with QUANTISE what it stores is
// quantised on the way.
#if SUBGROUPS
enable subgroups;
#endif

// Workgroups that a dispatch may have along each axis in every WebGPU implementation.
const MOST_WORKGROUPS = 65535u;

// Products in the place of shifts: of vectors by different numbers these are slow on software adapters.
fn highest_of(word: u32) -> vec4i {
  return bitcast<vec4i>((vec4u(word) * vec4u(0x1000000u, 0x10000u, 0x100u, 1u)) & vec4u(0xff000000u));
}
fn integers_of(word: u32) -> vec4i { return highest_of(word) >> vec4u(24u); }
fn floats_of(word: u32) -> vec4f { return vec4f(highest_of(word)) * 0x1p-24f; }

fn word_of(stored: vec4i) -> u32 {
  let bytes = (bitcast<vec4u>(stored) & vec4u(255u)) * vec4u(1u, 0x100u, 0x10000u, 0x1000000u);
  return bytes.x | bytes.y | bytes.z | bytes.w;
}

#if REAL_SRC
alias Src4 = vec4f;
fn load_src(stored: Src4) -> vec4f { return stored; }
#else
alias Src4 = u32;
fn load_src(stored: Src4) -> vec4f { return floats_of(stored); }
#endif
alias Other4 = u32;
#if REAL_DST
alias Dst4 = vec4f;
fn store_dst(value: vec4f) -> Dst4 { return value; }
#else
alias Dst4 = u32;
#if QUANTISE
override BY: f32;
override ZERO_POINT: f32;
// clamp(round(x / scale) + zero point), BY = 1 / scale.
fn store_dst(x: vec4f) -> Dst4 {
  let steps = round(clamp(x * BY, vec4f(-128.0 - ZERO_POINT), vec4f(127.0 - ZERO_POINT)));
  return word_of(vec4i(steps + ZERO_POINT));
}
#else
fn store_dst(value: vec4f) -> Dst4 { return word_of(vec4i(value)); }
#endif
#endif
