// The stores that a transcript can be kept in.

export {
  openSegments,
  readSegments,
  segmentSize,
  type Segments,
  type SegmentsFound,
  type TakeLine,
} from "./segments.ts";
