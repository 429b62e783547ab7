// `npm run test:kills`: the crash tests of test/contracts/transcript/killed.test.ts and test/cluster/kills.test.ts at hundreds of random moments; SALLYPORT_KILLS says how many.

process.env["SALLYPORT_KILLS"] ??= "300";
process.argv.push("test/contracts/transcript/killed.test", "test/cluster/kills");
await import("./run.ts");
