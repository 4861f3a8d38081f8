// Entries of a table of stored integers, four to a word.
//
// Expects  table
// Gives    entries(indices)
fn entry(index: i32) -> i32 {
  let i = u32(index);
  return bitcast<i32>(table[i / 4u] << (24u - 8u * (i % 4u))) >> 24u;
}

fn entries(indices: vec4i) -> vec4i {
  return vec4i(entry(indices.x), entry(indices.y), entry(indices.z), entry(indices.w));
}
