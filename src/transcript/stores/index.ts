// The stores that a transcript can be kept in.

export { openSegments, readSegments, type Segments, type SegmentsFound } from "./segments.ts";
