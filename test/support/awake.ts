// Wakes the threads that read and write files once a second: glibc can lose a waking (its bug 25847), and what was asked last then waits until something else is asked. What our own code forgets it wakes not.

import { stat } from "node:fs";

setInterval(() => stat(".", () => undefined), 1000).unref();
