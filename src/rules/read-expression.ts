import { attributeOf, type XmlElement } from '../protocol/xml/tree.ts';
import { types } from './datatypes/table.ts';
import { Refusal } from './failure.ts';
import type {
  AssignmentSyntax,
  DesignatorSyntax,
  Effect,
  ExpressionSyntax,
  MatchSyntax,
  NoticeSyntax,
  SelectorSyntax,
  TargetSyntax,
  ValueSyntax,
} from './policy.ts';
import { checkAttributes, readText, Shape } from './shape.ts';

/** The substitution group of `<Expression>`. */
const expressions = [
  'Apply',
  'AttributeDesignator',
  'AttributeSelector',
  'AttributeValue',
  'Function',
  'VariableReference',
];

/** Reads the only child of `parent` that is an expression. */
export function readSoleExpression(parent: Shape): ExpressionSyntax {
  const child = parent.require(...expressions);
  parent.end();
  return readExpression(child);
}

function readExpression(element: XmlElement): ExpressionSyntax {
  const { line } = element;
  switch (element.name) {
    case 'AttributeValue':
      return readValue(element);
    case 'AttributeDesignator':
      return readDesignator(element);
    case 'AttributeSelector':
      return readSelector(element);
    case 'VariableReference': {
      const shape = new Shape(element, { VariableId: 'string!' });
      shape.end();
      return { kind: 'variable', id: shape.text('VariableId'), line };
    }
    case 'Function': {
      const shape = new Shape(element, { FunctionId: 'uri!' });
      shape.end();
      return { kind: 'function', id: shape.uri('FunctionId'), line };
    }
    default: {
      const shape = new Shape(element, { FunctionId: 'uri!' });
      readDescription(shape);
      const args = shape.takeAll(...expressions).map(readExpression);
      shape.end();
      return { kind: 'apply', function: shape.uri('FunctionId'), line, args };
    }
  }
}

export function readDescription(shape: Shape): string | undefined {
  const element = shape.take('Description');
  return element === undefined ? undefined : readText(element).trim();
}

/** The schema lets a value hold any XML; the types of the core specification are all text. */
export function readValue(element: XmlElement): ValueSyntax {
  checkAttributes(element, { DataType: 'uri!', XPathCategory: 'uri' }, 'allowed');
  let text = '';
  for (const child of element.children) {
    if (typeof child !== 'string')
      throw new Refusal(child.line, `a value of a simple type cannot hold the element <${child.name}>`);
    text += child;
  }
  const dataType = attributeOf(element, 'DataType')!.trim();
  const isPath = dataType === types.xpathExpression.id;
  return {
    kind: 'value',
    line: element.line,
    dataType,
    text,
    xpathCategory: isPath ? attributeOf(element, 'XPathCategory')?.trim() : undefined,
    namespaces: element.scope,
  };
}

function readDesignator(element: XmlElement): DesignatorSyntax {
  const shape = new Shape(element, {
    Category: 'uri!',
    AttributeId: 'uri!',
    DataType: 'uri!',
    Issuer: 'string',
    MustBePresent: 'boolean!',
  });
  shape.end();
  return {
    kind: 'designator',
    line: element.line,
    category: shape.uri('Category'),
    attributeId: shape.uri('AttributeId'),
    dataType: shape.uri('DataType'),
    issuer: shape.optionalText('Issuer'),
    mustBePresent: shape.boolean('MustBePresent'),
  };
}

function readSelector(element: XmlElement): SelectorSyntax {
  const shape = new Shape(element, {
    Category: 'uri!',
    ContextSelectorId: 'uri',
    Path: 'string!',
    DataType: 'uri!',
    MustBePresent: 'boolean!',
  });
  shape.end();
  return {
    kind: 'selector',
    line: element.line,
    category: shape.uri('Category'),
    contextSelectorId: shape.optionalUri('ContextSelectorId'),
    path: shape.text('Path'),
    dataType: shape.uri('DataType'),
    mustBePresent: shape.boolean('MustBePresent'),
    namespaces: element.scope,
  };
}

export function readTarget(element: XmlElement): TargetSyntax {
  const target = new Shape(element, {});
  const anyOfs = target.takeAll('AnyOf').map((anyOfElement) => {
    const anyOf = new Shape(anyOfElement, {});
    const allOfs = anyOf.requireAll('AllOf').map((allOfElement) => {
      const allOf = new Shape(allOfElement, {});
      const matches = allOf.requireAll('Match').map(readMatch);
      allOf.end();
      return matches;
    });
    anyOf.end();
    return allOfs;
  });
  target.end();
  return anyOfs;
}

function readMatch(element: XmlElement): MatchSyntax {
  const shape = new Shape(element, { MatchId: 'uri!' });
  const value = readValue(shape.require('AttributeValue'));
  const attribute = shape.require('AttributeDesignator', 'AttributeSelector');
  shape.end();
  return {
    function: shape.uri('MatchId'),
    line: element.line,
    value,
    attribute: attribute.name === 'AttributeDesignator' ? readDesignator(attribute) : readSelector(attribute),
  };
}

/** `<ObligationExpressions>` and `<AdviceExpressions>`, each optional and in this order. */
export function readNotices(shape: Shape): { obligations: NoticeSyntax[]; advice: NoticeSyntax[] } {
  return {
    obligations: readNoticeList(shape, 'Obligation', 'FulfillOn'),
    advice: readNoticeList(shape, 'Advice', 'AppliesTo'),
  };
}

function readNoticeList(shape: Shape, name: 'Obligation' | 'Advice', on: string): NoticeSyntax[] {
  const element = shape.take(`${name}Expressions`);
  if (element === undefined) return [];
  const list = new Shape(element, {});
  const notices = list.requireAll(`${name}Expression`).map((noticeElement): NoticeSyntax => {
    const notice = new Shape(noticeElement, { [`${name}Id`]: 'uri!', [on]: 'effect!' });
    const assignments = notice.takeAll('AttributeAssignmentExpression').map(readAssignment);
    notice.end();
    return { id: notice.uri(`${name}Id`), on: notice.text(on) as Effect, line: noticeElement.line, assignments };
  });
  list.end();
  return notices;
}

function readAssignment(element: XmlElement): AssignmentSyntax {
  const shape = new Shape(element, { AttributeId: 'uri!', Category: 'uri', Issuer: 'string' });
  return {
    attributeId: shape.uri('AttributeId'),
    category: shape.optionalUri('Category'),
    issuer: shape.optionalText('Issuer'),
    line: element.line,
    expression: readSoleExpression(shape),
  };
}
