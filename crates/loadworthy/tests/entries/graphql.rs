use super::table;

#[test]
fn maps_of_resolvers_give_their_fields_through_files_and_merges() {
    let rows = table(&[
        (
            "server.ts",
            "import { ApolloServer } from '@apollo/server';\nimport { merge } from 'lodash';\nimport typeDefs from './schema';\nimport { users } from './users';\nimport * as posts from './posts';\nconst server = new ApolloServer({ typeDefs, resolvers: merge({}, users, posts.resolvers) });\n",
        ),
        (
            "users.ts",
            "import { GraphQLDate } from 'graphql-scalars';\nconst queries = { users: async (parent, args) => [] };\nexport const users = {\n  Date: GraphQLDate,\n  Query: { ...queries, me: protect((parent, args, context) => null) },\n  User: { posts: { resolve: (user) => [] }, __resolveType() {} },\n};\n",
        ),
        (
            "posts.ts",
            "const Mutation = { addPost(parent, { input }) {} };\nexport const resolvers = { Mutation, Subscription: { added: { subscribe: () => {} } } };\n",
        ),
    ]);
    assert_eq!(
        rows,
        [
            "FIELD User.posts users.ts:6",
            "MUTATION addPost posts.ts:1",
            "QUERY me users.ts:5",
            "QUERY users users.ts:2",
            "SUBSCRIPTION added posts.ts:2",
        ]
    );
}

#[test]
fn object_types_and_field_builders_give_their_fields() {
    let rows = table(&[(
        "schema.ts",
        "import { GraphQLObjectType, GraphQLSchema } from 'graphql';\nimport SchemaBuilder from '@pothos/core';\nconst query = new GraphQLObjectType({ name: 'RootQueryType', fields: () => ({\n  books: { type: BookType, resolve: (parent, args) => [] },\n  plain: { type: BookType },\n}) });\nconst builder = new SchemaBuilder({});\nbuilder.queryField('tags', (t) => t.field({ resolve: () => [] }));\nbuilder.mutationType({ fields: (t) => ({ addTag: t.field({ resolve: async () => {} }) }) });\nbuilder.prismaObject('Tag', { fields: (t) => ({ count: t.int({ resolve: (tag) => 1 }), id: t.exposeID('id') }) });\n",
    )]);
    assert_eq!(
        rows,
        [
            "FIELD Tag.count schema.ts:10",
            "MUTATION addTag schema.ts:9",
            "QUERY books schema.ts:4",
            "QUERY tags schema.ts:8"
        ]
    );
}

#[test]
fn resolvers_of_other_things_are_no_fields() {
    let rows = table(&[(
        "app.ts",
        "import { ApolloClient } from '@apollo/client';\nimport { ApolloServer } from '@apollo/server';\nconst form = useForm({ resolvers: { Query: { a: () => {} } } });\nconst client = new ApolloClient({ resolvers: { Query: { b: () => {} } } });\n",
    )]);
    assert!(rows.is_empty(), "{rows:?}");
}
