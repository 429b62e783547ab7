// The console's one style sheet: readable on a phone, in the dark, at any size, and with the keyboard.

export const style = `
:root { color-scheme: light dark; --ink: #1a1d21; --paper: #fff; --soft: #f3f5f7; --line: #c9d0d8; --quiet: #55606c;
  --accent: #0b5cad; --risk: #a4001d; --risk-soft: #fdecef; --good: #10651f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e9edf1; --paper: #14171a; --soft: #1d2226; --line: #3a434c;
  --quiet: #a3adb8; --accent: #7db8f5; --risk: #ff97a6; --risk-soft: #3a161c; --good: #7fd68f; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
header, main, footer { max-width: 60rem; margin: 0 auto; padding: 0.75rem 1rem; }
header { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; align-items: center; justify-content: space-between;
  border-bottom: 1px solid var(--line); }
h1 { font-size: 1.35rem; line-height: 1.3; margin: 0.75rem 0; }
h2 { font-size: 1.05rem; margin: 1.5rem 0 0.5rem; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: 0.5rem; background: var(--paper); padding: 0.5rem; }
ul.queue { list-style: none; padding: 0; margin: 0; }
ul.queue li { border: 1px solid var(--line); border-radius: 0.5rem; padding: 0.75rem 1rem; margin: 0 0 0.75rem; }
ul.queue a { font-weight: 600; }
dl { display: grid; grid-template-columns: minmax(6rem, max-content) 1fr; gap: 0.25rem 1rem; margin: 0; }
dt { color: var(--quiet); }
dd { margin: 0; }
blockquote { margin: 0; padding: 0.25rem 0.75rem; border-left: 3px solid var(--line); white-space: pre-wrap; }
ol.diff { list-style: none; margin: 0; padding: 0.5rem; background: var(--soft); border: 1px solid var(--line);
  border-radius: 0.5rem; font: 0.9rem/1.5 ui-monospace, monospace; overflow-x: auto; }
ol.diff li { white-space: pre-wrap; }
ol.diff .risk { background: var(--risk-soft); color: var(--risk); font-weight: 600; }
.quiet { color: var(--quiet); }
.notice { border: 1px solid var(--line); border-left: 4px solid var(--accent); border-radius: 0.25rem; padding: 0.5rem 0.75rem; }
.notice.bad { border-left-color: var(--risk); }
form { margin: 0; }
.answers { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); margin: 1rem 0; }
fieldset { border: 1px solid var(--line); border-radius: 0.5rem; padding: 0.75rem 1rem; margin: 0; }
label { display: block; margin: 0 0 0.5rem; }
textarea { width: 100%; font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--line);
  border-radius: 0.25rem; padding: 0.5rem; }
button, a.button { display: inline-block; font: inherit; font-weight: 600; padding: 0.6rem 1.1rem; border-radius: 0.4rem;
  border: 2px solid var(--accent); background: var(--paper); color: var(--accent); cursor: pointer; text-decoration: none;
  min-height: 2.75rem; }
button.yes { background: var(--accent); color: var(--paper); }
button.no { border-color: var(--risk); color: var(--risk); }
button.plain { border: 0; padding: 0.25rem; min-height: 0; text-decoration: underline; font-weight: 400; }
code { font: 0.9em ui-monospace, monospace; }
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
`;
