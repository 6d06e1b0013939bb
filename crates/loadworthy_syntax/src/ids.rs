//! Indices into a lowered module. Four bytes each; `NONE` stands for an absent one, so that a node stays small.

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(u32);

        impl $name {
            /// No such thing: the optional part is absent.
            pub const NONE: Self = Self(u32::MAX);

            /// The id of the element at `index`; [`Self::NONE`] past the 32-bit range.
            #[must_use]
            pub fn new(index: usize) -> Self {
                u32::try_from(index).map_or(Self::NONE, Self)
            }

            /// The position in its table.
            #[must_use]
            pub fn index(self) -> usize {
                self.0 as usize
            }

            /// Whether the part exists.
            #[must_use]
            pub fn is_some(self) -> bool {
                self != Self::NONE
            }

            /// `None` where absent.
            #[must_use]
            pub fn ok(self) -> Option<Self> {
                self.is_some().then_some(self)
            }
        }
    };
}

id! {
    /// A node of a module's tree.
    NodeId
}
id! {
    /// An interned string of one module: names, literals, module specifiers.
    Atom
}
id! {
    /// A declared name (variable, parameter, import, function, class, type).
    BindingId
}
id! {
    /// A function of any form.
    FunctionId
}
id! {
    /// A class.
    ClassId
}
id! {
    /// A type annotation.
    TypeId
}

/// A run of ids in a module's list table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct List {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

impl List {
    /// No elements.
    pub const EMPTY: Self = Self { start: 0, len: 0 };

    /// Number of elements.
    #[must_use]
    pub fn len(self) -> usize {
        self.len as usize
    }

    /// Whether it has no element.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }
}
