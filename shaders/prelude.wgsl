// Put before every kernel. Tensors and weights are stored four channels at a time: the first input as Src4, the others as
// Other4, weights of normal convolutions as Weight4, what is written as Dst4. Each is four floats, or four halves where
// the plan says so; arithmetic is float32, but in shaders with HALF.
#if SUBGROUPS
enable subgroups;
#endif
#if F16
enable f16;
alias Half4 = vec4h;
fn from_half(stored: Half4) -> vec4f { return vec4f(stored); }
fn to_half(value: vec4f) -> Half4 { return vec4h(value); }
#elif F16_PACKED
alias Half4 = vec2u;
fn from_half(stored: Half4) -> vec4f { return vec4f(unpack2x16float(stored.x), unpack2x16float(stored.y)); }
fn to_half(value: vec4f) -> Half4 { return vec2u(pack2x16float(value.xy), pack2x16float(value.zw)); }
#endif
#if HALF_SRC
alias Src4 = Half4;
fn load_src(stored: Src4) -> vec4f { return from_half(stored); }
#else
alias Src4 = vec4f;
fn load_src(stored: Src4) -> vec4f { return stored; }
#endif
#if HALF_OTHER
alias Other4 = Half4;
fn load_other(stored: Other4) -> vec4f { return from_half(stored); }
#else
alias Other4 = vec4f;
fn load_other(stored: Other4) -> vec4f { return stored; }
#endif
#if HALF_WEIGHT
alias Weight4 = Half4;
fn load_weight(stored: Weight4) -> vec4f { return from_half(stored); }
#else
alias Weight4 = vec4f;
fn load_weight(stored: Weight4) -> vec4f { return stored; }
#endif
#if HALF_DST
alias Dst4 = Half4;
fn store_dst(value: vec4f) -> Dst4 { return to_half(value); }
#else
alias Dst4 = vec4f;
fn store_dst(value: vec4f) -> Dst4 { return value; }
#endif

// Workgroups that a dispatch may have along each axis in every WebGPU implementation.
const MOST_WORKGROUPS = 65535u;

// The order of `activationCodes` in src/kernels/kernel.ts.
override ACTIVATION: u32 = 0u;

fn activation(code: u32, x: vec4f) -> vec4f {
  if (code == 1u) { return max(x, vec4f(0.0)); }
  if (code == 2u) { return clamp(x, vec4f(0.0), vec4f(6.0)); }
  if (code == 3u) { return x * (clamp(x + 3.0, vec4f(0.0), vec4f(6.0)) / 6.0); }
  if (code == 4u) { return clamp(x + 3.0, vec4f(0.0), vec4f(6.0)) / 6.0; }
  if (code == 5u) { return 1.0 / (1.0 + exp(-clamp(x, vec4f(-80.0), vec4f(80.0)))); }
  return x;
}

fn activate(x: vec4f) -> vec4f { return activation(ACTIVATION, x); }

// Every activation but the sigmoid, by numbers of a shape (`piecewiseOf` in src/kernels/kernel.ts) and without a branch:
// a software adapter takes both sides of one.
fn piecewise(x: vec4f, low: f32, high: f32, shift: f32, scale: f32, times_input: u32) -> vec4f {
  return clamp(x + shift, vec4f(low), vec4f(high)) * scale * select(vec4f(1.0), x, times_input == 1u);
}
