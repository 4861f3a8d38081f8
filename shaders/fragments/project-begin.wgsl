// What an invocation of a workgroup holds of a block's output: HELD pixels of the tile × CHANNELS channels; lanes past the last
// channels only help.
//
// Expects  lane; constants PIXELS, those of the tile, and HELD; shape.columns, the output channels in multiples of CHANNELS
// Gives    group, of HELD pixels; channel, the first; owns, whether there is such a channel; sum0_0 …, [pixel]_[channel]
  let group = lane % (PIXELS / $(HELD)u);
  let channel = lane / (PIXELS / $(HELD)u) * $(CHANNELS)u;
  let owns = channel < shape.columns;
#unroll p HELD
#unroll c CHANNELS
  var sum$(p)_$c = 0.0;
#end
#end
