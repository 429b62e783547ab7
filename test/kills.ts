// `npm run test:kills`: the crash test of test/cluster/kills.test.ts at hundreds of random moments; SALLYPORT_KILLS says how many.

process.env["SALLYPORT_KILLS"] ??= "300";
process.argv.push("test/cluster/kills");
await import("./run.ts");
