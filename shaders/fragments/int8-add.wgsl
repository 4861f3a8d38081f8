// The sum of stored integers of two tensors, each on a scale of its own: clamp((2^(shift − 1) + factors · values) >> shift) + zero.
//
// Expects  shape.a_zero, shape.b_zero, shape.a_factor, shape.b_factor, shape.shift; `zero`, the zero point of the sum; `least` and
//          `most`, its ends less that
// Gives    added(a, b)
fn added(a: vec4i, b: vec4i) -> vec4i {
  let sum = shape.a_factor * (a - shape.a_zero) + shape.b_factor * (b - shape.b_zero);
  let rounded = (sum + (1 << (shape.shift - 1u))) >> vec4u(shape.shift);
  return clamp(rounded, vec4i($least), vec4i($most)) + $zero;
}
