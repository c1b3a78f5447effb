// Validates an AsyncAPI document: by the schema of its version, and by the rules that a schema
// cannot express, such as that a message of an operation belongs to its channel.
import { readFile } from "node:fs/promises";
import { Parser } from "@asyncapi/parser";

const ERROR = 0;
const [, , file] = process.argv;
const { document, diagnostics } = await new Parser().parse(await readFile(file, "utf8"));
const errors = diagnostics.filter((diagnostic) => diagnostic.severity === ERROR);
for (const { path, message, code } of errors) {
  console.error(`${file}: ${path.join(".")}: ${message} (${code})`);
}
if (errors.length > 0 || document === undefined) process.exit(1);
const [channels, operations] = [document.channels().length, document.operations().length];
console.log(`${file} is valid: ${channels} channels, ${operations} operations`);
