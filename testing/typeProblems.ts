import ts from 'typescript';

/** What TypeScript finds wrong with files that are compiled strictly, with these options beside. */
export function typeProblems(
  files: string[],
  options: Pick<
    ts.CompilerOptions,
    'module' | 'moduleResolution' | 'esModuleInterop'
  >,
): string[] {
  const program = ts.createProgram(files, {
    ...options,
    target: ts.ScriptTarget.ES2022,
    types: ['node'],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
  });
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) =>
      ts.flattenDiagnosticMessageText(messageText, ' '),
    );
}
