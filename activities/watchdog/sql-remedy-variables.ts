import type { RemedyShape } from './sql-remedy-relation.ts';
import { castColumn } from './sql-remedy-values.ts';
import type { Parameter } from './sql-remedy-values.ts';

/** The variables that stand for parameters; those of one source and type are one. */
export class VariableList {
  readonly constants: (string | null)[] = [];
  readonly declarations: string[] = [];
  /** What the finding's row is read into, and from which expressions. */
  readonly targets: string[] = [];
  readonly expressions: string[] = [];
  readonly #shape: RemedyShape;
  readonly #known = new Map<string, string>();

  constructor(shape: RemedyShape) {
    this.#shape = shape;
  }

  /** The expression that stands in the program for a parameter. */
  place(parameter: Parameter | undefined): string {
    if (parameter === undefined) return 'NULL';
    const { source, type } = parameter;
    if (source.kind === 'action') return `(actcore.${source.name}::${type})`;
    const identity = JSON.stringify([source, type]);
    const known = this.#known.get(identity) ?? this.#declare(parameter);
    this.#known.set(identity, known);
    return `(actcore.${known})`;
  }

  #declare({ source, type }: Parameter): string {
    if (source.kind === 'column') {
      const name = `f${this.targets.length}`;
      this.declarations.push(`${name} ${type};`);
      this.targets.push(`actcore.${name}`);
      this.expressions.push(castColumn(source.name, type, this.#shape));
      return name;
    }
    const index = this.constants.push(source.kind === 'constant' ? source.value : null) - 1;
    this.declarations.push(`c${index} ${type} := (input->'constants'->>${index})::${type};`);
    return `c${index}`;
  }
}
