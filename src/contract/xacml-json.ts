import { type TSchema, Type } from 'typebox';

/** Requests and responses in the JSON profile of XACML 3.0, version 1.1. */

const listOrOne = (shape: TSchema) => Type.Union([Type.Array(shape), shape]);

const Flag = Type.Optional(Type.Boolean({ default: false }));
const Expression = Type.Object({
  XPathCategory: Type.String(),
  Namespaces: Type.Optional(listOrOne(Type.Object({ Prefix: Type.Optional(Type.String()), Namespace: Type.String() }))),
  XPath: Type.String(),
});
const Single = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Expression]);

const Attribute = Type.Object({
  AttributeId: Type.String(),
  Value: listOrOne(Single),
  DataType: Type.Optional(Type.String({ description: 'A URI, or its short name such as anyURI' })),
  Issuer: Type.Optional(Type.String()),
  IncludeInResult: Flag,
});

const categoryFields = {
  Id: Type.Optional(Type.String({ description: 'For MultiRequests to refer to' })),
  Content: Type.Optional(Type.String({ description: 'XML, or XML in Base64' })),
  Attribute: Type.Optional(listOrOne(Attribute)),
};
const Short = Type.Optional(listOrOne(Type.Object(categoryFields)));
const Category = Type.Object({
  CategoryId: Type.String({ description: 'A URI, or a short name such as AccessSubject' }),
  ...categoryFields,
});

export const XacmlJsonRequest = Type.Object({
  Request: Type.Object({
    ReturnPolicyIdList: Flag,
    CombinedDecision: Flag,
    XPathVersion: Type.Optional(Type.String()),
    Category: Type.Optional(listOrOne(Category)),
    AccessSubject: Short,
    RecipientSubject: Short,
    IntermediarySubject: Short,
    Codebase: Short,
    RequestingMachine: Short,
    Resource: Short,
    Action: Short,
    Environment: Short,
    MultiRequests: Type.Optional(
      Type.Object({
        RequestReference: listOrOne(Type.Object({ ReferenceId: listOrOne(Type.String()) })),
      }),
    ),
  }),
});

const Notice = Type.Object({
  Id: Type.String(),
  AttributeAssignment: Type.Optional(
    Type.Array(
      Type.Object({
        AttributeId: Type.String(),
        Category: Type.Optional(Type.String()),
        Issuer: Type.Optional(Type.String()),
        DataType: Type.String(),
        Value: Single,
      }),
    ),
  ),
});
const References = Type.Optional(Type.Array(Type.Object({ Id: Type.String(), Version: Type.String() })));

export const XacmlJsonResponse = Type.Object({
  Response: Type.Array(
    Type.Object({
      Decision: Type.Enum(['Permit', 'Deny', 'NotApplicable', 'Indeterminate']),
      Status: Type.Object({
        StatusMessage: Type.Optional(Type.String()),
        StatusCode: Type.Object({ Value: Type.String() }),
        StatusDetail: Type.Optional(
          Type.Array(
            Type.Object({
              Category: Type.String(),
              AttributeId: Type.String(),
              DataType: Type.String(),
              Issuer: Type.Optional(Type.String()),
            }),
          ),
        ),
      }),
      Obligations: Type.Optional(Type.Array(Notice)),
      AssociatedAdvice: Type.Optional(Type.Array(Notice)),
      Category: Type.Optional(Type.Array(Category)),
      PolicyIdentifierList: Type.Optional(
        Type.Object({ PolicyIdReference: References, PolicySetIdReference: References }),
      ),
    }),
  ),
});
