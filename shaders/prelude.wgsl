// Put before every kernel. Tensors and weights are stored as Stored4, four channels at a time, in the precision that
// the plan chose; arithmetic is always float32.
#if SUBGROUPS
enable subgroups;
#endif
#if F16
enable f16;
alias Stored4 = vec4h;
fn load4(stored: Stored4) -> vec4f { return vec4f(stored); }
fn store4(value: vec4f) -> Stored4 { return vec4h(value); }
#elif F16_PACKED
alias Stored4 = vec2u;
fn load4(stored: Stored4) -> vec4f { return vec4f(unpack2x16float(stored.x), unpack2x16float(stored.y)); }
fn store4(value: vec4f) -> Stored4 { return vec2u(pack2x16float(value.xy), pack2x16float(value.zw)); }
#else
alias Stored4 = vec4f;
fn load4(stored: Stored4) -> vec4f { return stored; }
fn store4(value: vec4f) -> Stored4 { return value; }
#endif

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
