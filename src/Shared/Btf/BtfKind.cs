using System.Diagnostics.CodeAnalysis;

namespace Maplog.Btf;

/// <summary>Kinds of BTF types, with the kernel's numbers (BTF_KIND_*).</summary>
[SuppressMessage("Naming", "CA1720", Justification = "The kernel's words.")]
public enum BtfKind
{
    Void = 0,
    Integer = 1,
    Pointer = 2,
    Array = 3,
    Struct = 4,
    Union = 5,
    Enum = 6,
    Forward = 7,
    Typedef = 8,
    Volatile = 9,
    Const = 10,
    Restrict = 11,
    Function = 12,
    FunctionPrototype = 13,
    Variable = 14,
    DataSection = 15,
    Float = 16,
    DeclarationTag = 17,
    TypeTag = 18,
    Enum64 = 19,
}
