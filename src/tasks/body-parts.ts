/** The 24 parts of BodyPix's channels, in their order. */
export const bodyParts: readonly string[] = [
  ...['left face', 'right face', 'left upper arm front', 'left upper arm back', 'right upper arm front'],
  ...['right upper arm back', 'left lower arm front', 'left lower arm back', 'right lower arm front'],
  ...['right lower arm back', 'left hand', 'right hand', 'torso front', 'torso back', 'left upper leg front'],
  ...['left upper leg back', 'right upper leg front', 'right upper leg back', 'left lower leg front'],
  ...['left lower leg back', 'right lower leg front', 'right lower leg back', 'left foot', 'right foot'],
];
