// Where the weights of a group of TILE_CHANNELS output channels are in a row.
//
// Expects  group; COLUMN_STEP, from one of its quads to the next: 1, or 4 where those of four groups lie in turns, so that
//          neighbouring lanes, which have neighbouring groups, load what lies together
// Gives    channel, its first; channel4, the four that this is of; quad, that of their weights
  let channel = group * $(TILE_CHANNELS)u;
  let channel4 = channel / 4u;
#if COLUMN_STEP == 1
  let quad = channel4;
#else
  let quad = group / $(COLUMN_STEP)u * $(COLUMN_STEP*TILE_CHANNELS/4)u + group % $(COLUMN_STEP)u;
#endif
