// What real consumers from npm make of exported files, as JSON on standard output. Run in a folder with node_modules.
//   node consumers.cjs speedscope FILE      profiles as speedscope itself imports them: name, unit, weight, frames
//   node consumers.cjs chrome FILE          what the chrome-trace reader finds in a Chrome trace
//   node consumers.cjs duckdb QUERY...      rows of the last query
'use strict';
const fs = require('fs');
const path = require('path');
const { createRequire } = require('module');
const vm = require('vm');
const need = createRequire(path.join(process.cwd(), 'index.js'));

// speedscope is made for a page: its bundle runs here beside things that do nothing, and its import function is called.
function nothing() {
    return new Proxy(function () {}, {
        get: (_, key) => (key === Symbol.toPrimitive ? () => '' : key === Symbol.iterator ? function* () {} : key === 'then' ? undefined : nothing()),
        set: () => true,
        has: () => true,
        apply: () => nothing(),
        construct: () => nothing(),
    });
}

function speedscope(file) {
    const folder = path.join(path.dirname(need.resolve('speedscope/package.json')), 'dist', 'release');
    const bundle = fs.readdirSync(folder).find(name => /^speedscope-.*\.js$/.test(name));
    let code = fs.readFileSync(path.join(folder, bundle), 'utf8');
    const asked = /async function (\w+)\(\w+,\w+\)\{return\(await \w+\)\.importProfileGroupFromText\(\w+,\w+\)\}/;
    code = code.replace(asked, (all, name) => `${all}globalThis.importText=${name};`);
    code = code.replace(/console\.log\(`speedscope v[\s\S]*\}\)\(\);/, '})();');
    const page = { console, TextDecoder, TextEncoder, setTimeout, clearTimeout, URL, Promise, atob, btoa, performance };
    for (const name of ['document', 'localStorage', 'navigator', 'location', 'Image', 'FileReader', 'requestAnimationFrame', 'matchMedia', 'fetch', 'addEventListener', 'HTMLElement', 'Element'])
        page[name] = nothing();
    page.window = page.self = page;
    vm.runInNewContext(code, page);
    return page.importText(path.basename(file), fs.readFileSync(file, 'utf8')).then(group => {
        if (!group) throw new Error('speedscope does not know what this is');
        return group.profiles.map(p => {
            let frames = 0;
            p.forEachFrame(() => frames++);
            return { name: p.getName(), unit: p.getWeightUnit(), total: p.getTotalWeight(), weighted: p.getTotalNonIdleWeight(), frames };
        });
    });
}

async function chrome(file) {
    const parsed = await need('chrome-trace').parseStream(fs.createReadStream(file));
    return Object.keys(parsed);
}

async function duckdb(queries) {
    const { DuckDBInstance } = need('@duckdb/node-api');
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    let last;
    for (const query of queries) last = await connection.runAndReadAll(query);
    return last.getRowsJson();
}

const [mode, ...rest] = process.argv.slice(2);
const answers = { speedscope: () => speedscope(rest[0]), chrome: () => chrome(rest[0]), duckdb: () => duckdb(rest) };
answers[mode]().then(out => process.stdout.write(JSON.stringify(out) + '\n', () => process.exit(0)), e => { console.error(e); process.exit(1); });
