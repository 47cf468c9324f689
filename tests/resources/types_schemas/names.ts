export type Json =
  | string
  | number
  | boolean
  | null
  | { [key: string]: Json | undefined }
  | Json[]

export type Database = {
  // Allows to automatically instantiate createClient with right options
  // instead of createClient<Database, { PostgrestVersion: 'XX' }>(URL, KEY)
  __InternalSupabase: {
    PostgrestVersion: "12.0.2"
  }
  a: {
    Tables: {
      "b.c": {
        Row: {
          id: number
        }
        Insert: {
          id: number
        }
        Update: {
          id?: number
        }
        Relationships: [
          {
            foreignKeyName: "c_id_fkey"
            columns: null
            isOneToOne: false
            referencedRelation: "b.c"
            referencedColumns: null
          },
        ]
      }
    }
    Views: {
      [_ in never]: never
    }
    Functions: {
      [_ in never]: never
    }
    Enums: {
      [_ in never]: never
    }
    CompositeTypes: {
      [_ in never]: never
    }
  }
  "a.b": {
    Tables: {
      c: {
        Row: {
          id: number
        }
        Insert: {
          id: number
        }
        Update: {
          id?: number
        }
        Relationships: []
      }
    }
    Views: {
      [_ in never]: never
    }
    Functions: {
      [_ in never]: never
    }
    Enums: {
      [_ in never]: never
    }
    CompositeTypes: {
      [_ in never]: never
    }
  }
  grüße: {
    Tables: {
      straße: {
        Row: {
          id: number
          nächste: number | null
        }
        Insert: {
          id: number
          nächste?: number | null
        }
        Update: {
          id?: number
          nächste?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "straße_nächste_fkey"
            columns: null
            isOneToOne: false
            referencedRelation: "straße"
            referencedColumns: null
          },
        ]
      }
    }
    Views: {
      [_ in never]: never
    }
    Functions: {
      [_ in never]: never
    }
    Enums: {
      [_ in never]: never
    }
    CompositeTypes: {
      [_ in never]: never
    }
  }
  'it\'s "so"': {
    Tables: {
      t: {
        Row: {
          e: Database['it\'s "so"']["Enums"]["e"] | null
          es: Database['it\'s "so"']["Enums"]["e"][] | null
        }
        Insert: {
          e?: Database['it\'s "so"']["Enums"]["e"] | null
          es?: Database['it\'s "so"']["Enums"]["e"][] | null
        }
        Update: {
          e?: Database['it\'s "so"']["Enums"]["e"] | null
          es?: Database['it\'s "so"']["Enums"]["e"][] | null
        }
        Relationships: []
      }
    }
    Views: {
      [_ in never]: never
    }
    Functions: {
      [_ in never]: never
    }
    Enums: {
      e: "x"
    }
    CompositeTypes: {
      [_ in never]: never
    }
  }
  order: {
    Tables: {
      table: {
        Row: {
          id: number
          parent: number | null
        }
        Insert: {
          id: number
          parent?: number | null
        }
        Update: {
          id?: number
          parent?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "table_parent_fkey"
            columns: null
            isOneToOne: false
            referencedRelation: "table"
            referencedColumns: null
          },
        ]
      }
    }
    Views: {
      view: {
        Row: {
          id: number | null
          parent: number | null
        }
        Insert: {
          id?: number | null
          parent?: number | null
        }
        Update: {
          id?: number | null
          parent?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "table_parent_fkey"
            columns: ["parent"]
            isOneToOne: false
            referencedRelation: "table"
            referencedColumns: null
          },
        ]
      }
    }
    Functions: {
      [_ in never]: never
    }
    Enums: {
      [_ in never]: never
    }
    CompositeTypes: {
      [_ in never]: never
    }
  }
  public: {
    Tables: {
      _zebra: {
        Row: {
          id: number | null
        }
        Insert: {
          id?: number | null
        }
        Update: {
          id?: number | null
        }
        Relationships: []
      }
      "1zebra": {
        Row: {
          id: number | null
        }
        Insert: {
          id?: number | null
        }
        Update: {
          id?: number | null
        }
        Relationships: []
      }
      "a table": {
        Row: {
          __proto__: number | null
          "(paren)": number | null
          "{brace}": string | null
          "<>": number | null
          "😀": string | null
          $dollar: number | null
          "01": number | null
          "1": number | null
          "1.5": number | null
          "a column": number
          a$b: number | null
          "back\\slash": string | null
          "both'\"": string | null
          class: string | null
          "comma,comma": string | null
          constructor: number | null
          délà: string | null
          "it's": string | null
          "new\nline": string | null
          'quote"d': string | null
          "tab\t": string | null
          日本語: string | null
          'a"b': {
            __proto__: number | null
            "(paren)": number | null
            "{brace}": string | null
            "<>": number | null
            "😀": string | null
            $dollar: number | null
            "01": number | null
            "1": number | null
            "1.5": number | null
            "a column": number
            a$b: number | null
            "back\\slash": string | null
            "both'\"": string | null
            class: string | null
            "comma,comma": string | null
            constructor: number | null
            délà: string | null
            "it's": string | null
            "new\nline": string | null
            'quote"d': string | null
            "tab\t": string | null
            日本語: string | null
          } | null
        }
        Insert: {
          __proto__?: number | null
          "(paren)"?: number | null
          "{brace}"?: string | null
          "<>"?: number | null
          "😀"?: string | null
          $dollar?: number | null
          "01"?: number | null
          "1"?: number | null
          "1.5"?: number | null
          "a column": number
          a$b?: number | null
          "back\\slash"?: string | null
          "both'\""?: string | null
          class?: string | null
          "comma,comma"?: string | null
          constructor?: number | null
          délà?: string | null
          "it's"?: string | null
          "new\nline"?: string | null
          'quote"d'?: string | null
          "tab\t"?: string | null
          日本語?: string | null
        }
        Update: {
          __proto__?: number | null
          "(paren)"?: number | null
          "{brace}"?: string | null
          "<>"?: number | null
          "😀"?: string | null
          $dollar?: number | null
          "01"?: number | null
          "1"?: number | null
          "1.5"?: number | null
          "a column"?: number
          a$b?: number | null
          "back\\slash"?: string | null
          "both'\""?: string | null
          class?: string | null
          "comma,comma"?: string | null
          constructor?: number | null
          délà?: string | null
          "it's"?: string | null
          "new\nline"?: string | null
          'quote"d'?: string | null
          "tab\t"?: string | null
          日本語?: string | null
        }
        Relationships: []
      }
      a_name_that_is_as_long_as_postgres_will_have_it_which_is_63_chr: {
        Row: {
          another_name_that_is_as_long_as_postgres_will_have_it_which_63c:
            | string
            | null
          b: number | null
          c_with_a_name_so_long_that_the_line_will_be_broken_behind_it_:
            | string
            | null
        }
        Insert: {
          another_name_that_is_as_long_as_postgres_will_have_it_which_63c?:
            | string
            | null
          b?: number | null
          c_with_a_name_so_long_that_the_line_will_be_broken_behind_it_?:
            | string
            | null
        }
        Update: {
          another_name_that_is_as_long_as_postgres_will_have_it_which_63c?:
            | string
            | null
          b?: number | null
          c_with_a_name_so_long_that_the_line_will_be_broken_behind_it_?:
            | string
            | null
        }
        Relationships: []
      }
      delete: {
        Row: {
          default: number | null
          from: number | null
          new: number | null
          null: number | null
          select: number | null
          undefined: number | null
        }
        Insert: {
          default?: number | null
          from?: number | null
          new?: number | null
          null?: number | null
          select?: number | null
          undefined?: number | null
        }
        Update: {
          default?: number | null
          from?: number | null
          new?: number | null
          null?: number | null
          select?: number | null
          undefined?: number | null
        }
        Relationships: []
      }
      of_enums: {
        Row: {
          enums: Database["public"]["Enums"]["an enum"][]
          long_one: Database["public"]["Enums"]["long_enum"] | null
          of_enums: string | null
          "the enum": Database["public"]["Enums"]["an enum"] | null
        }
        Insert: {
          enums: Database["public"]["Enums"]["an enum"][]
          long_one?: Database["public"]["Enums"]["long_enum"] | null
          of_enums?: string | null
          "the enum"?: Database["public"]["Enums"]["an enum"] | null
        }
        Update: {
          enums?: Database["public"]["Enums"]["an enum"][]
          long_one?: Database["public"]["Enums"]["long_enum"] | null
          of_enums?: string | null
          "the enum"?: Database["public"]["Enums"]["an enum"] | null
        }
        Relationships: []
      }
      zebra: {
        Row: {
          id: number | null
          Zebra: number | null
        }
        Insert: {
          id?: number | null
          Zebra?: number | null
        }
        Update: {
          id?: number | null
          Zebra?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "zebra_id_fkey"
            columns: ["id"]
            isOneToOne: false
            referencedRelation: "Zebra"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "zebra_Zebra_fkey"
            columns: ["Zebra"]
            isOneToOne: false
            referencedRelation: "Zebra"
            referencedColumns: ["id"]
          },
        ]
      }
      Zebra: {
        Row: {
          _alpha: number | null
          "-alpha": number | null
          "¿": number | null
          "€": number | null
          "½": number | null
          "²": number | null
          "٣": number | null
          ae: number | null
          æ: number | null
          af: number | null
          "al pha": number | null
          al_pha: number | null
          "al-pha": number | null
          alpha: number | null
          Alpha: number | null
          ALPHA: number | null
          álpha: number | null
          Álpha: number | null
          alpha1: number | null
          alpha10: number | null
          alpha2: number | null
          beta: number | null
          ea: number | null
          éa: number | null
          eb: number | null
          id: number
          ñ: number | null
          nz: number | null
          o: number | null
          ø: number | null
          oz: number | null
          ss: number | null
          ß: number | null
          st: number | null
          ω: number | null
          Ω: number | null
          б: number | null
          я: number | null
          Я: number | null
          א: number | null
          ب: number | null
          あ: number | null
          ア: number | null
          中: number | null
        }
        Insert: {
          _alpha?: number | null
          "-alpha"?: number | null
          "¿"?: number | null
          "€"?: number | null
          "½"?: number | null
          "²"?: number | null
          "٣"?: number | null
          ae?: number | null
          æ?: number | null
          af?: number | null
          "al pha"?: number | null
          al_pha?: number | null
          "al-pha"?: number | null
          alpha?: number | null
          Alpha?: number | null
          ALPHA?: number | null
          álpha?: number | null
          Álpha?: number | null
          alpha1?: number | null
          alpha10?: number | null
          alpha2?: number | null
          beta?: number | null
          ea?: number | null
          éa?: number | null
          eb?: number | null
          id: number
          ñ?: number | null
          nz?: number | null
          o?: number | null
          ø?: number | null
          oz?: number | null
          ss?: number | null
          ß?: number | null
          st?: number | null
          ω?: number | null
          Ω?: number | null
          б?: number | null
          я?: number | null
          Я?: number | null
          א?: number | null
          ب?: number | null
          あ?: number | null
          ア?: number | null
          中?: number | null
        }
        Update: {
          _alpha?: number | null
          "-alpha"?: number | null
          "¿"?: number | null
          "€"?: number | null
          "½"?: number | null
          "²"?: number | null
          "٣"?: number | null
          ae?: number | null
          æ?: number | null
          af?: number | null
          "al pha"?: number | null
          al_pha?: number | null
          "al-pha"?: number | null
          alpha?: number | null
          Alpha?: number | null
          ALPHA?: number | null
          álpha?: number | null
          Álpha?: number | null
          alpha1?: number | null
          alpha10?: number | null
          alpha2?: number | null
          beta?: number | null
          ea?: number | null
          éa?: number | null
          eb?: number | null
          id?: number
          ñ?: number | null
          nz?: number | null
          o?: number | null
          ø?: number | null
          oz?: number | null
          ss?: number | null
          ß?: number | null
          st?: number | null
          ω?: number | null
          Ω?: number | null
          б?: number | null
          я?: number | null
          Я?: number | null
          א?: number | null
          ب?: number | null
          あ?: number | null
          ア?: number | null
          中?: number | null
        }
        Relationships: []
      }
      ZEBRA: {
        Row: {
          id: number | null
        }
        Insert: {
          id?: number | null
        }
        Update: {
          id?: number | null
        }
        Relationships: []
      }
      "zebra 2": {
        Row: {
          id: number | null
        }
        Insert: {
          id?: number | null
        }
        Update: {
          id?: number | null
        }
        Relationships: []
      }
      zebra_2: {
        Row: {
          id: number | null
        }
        Insert: {
          id?: number | null
        }
        Update: {
          id?: number | null
        }
        Relationships: []
      }
    }
    Views: {
      [_ in never]: never
    }
    Functions: {
      "9": { Args: Record<PropertyKey, never>; Returns: number }
      "10": { Args: Record<PropertyKey, never>; Returns: number }
      "09": { Args: Record<PropertyKey, never>; Returns: number }
      'a"b': {
        Args: { 'c"d': Database["public"]["Tables"]["a table"]["Row"] }
        Returns: {
          __proto__: number | null
          "(paren)": number | null
          "{brace}": string | null
          "<>": number | null
          "😀": string | null
          $dollar: number | null
          "01": number | null
          "1": number | null
          "1.5": number | null
          "a column": number
          a$b: number | null
          "back\\slash": string | null
          "both'\"": string | null
          class: string | null
          "comma,comma": string | null
          constructor: number | null
          délà: string | null
          "it's": string | null
          "new\nline": string | null
          'quote"d': string | null
          "tab\t": string | null
          日本語: string | null
        }
        SetofOptions: {
          from: '"a table"'
          to: "a table"
          isOneToOne: true
          isSetofReturn: false
        }
      }
      "with space": {
        Args: { "1"?: string; "an arg"?: number; ünï?: number }
        Returns: number
      }
    }
    Enums: {
      "an enum":
        | "a"
        | 'b"c'
        | "d'e"
        | "f'\"g"
        | "h\\i"
        | "new\nline"
        | ""
        | "ünï"
        | "日本"
        | "tab\t"
        | "true"
        | "1"
      long_enum:
        | "first of the labels"
        | "second of the labels"
        | "third of the labels"
        | "fourth"
      wide_enum:
        | "日本語日本語日本語"
        | "中文中文中文中文中"
        | "nihongo nihongo nihongo nihong"
    }
    CompositeTypes: {
      [_ in never]: never
    }
  }
  "Quoted Schema": {
    Tables: {
      Child: {
        Row: {
          id: number
          Parent: number | null
        }
        Insert: {
          id: number
          Parent?: number | null
        }
        Update: {
          id?: number
          Parent?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "Child_id_fkey"
            columns: null
            isOneToOne: false
            referencedRelation: "Parent"
            referencedColumns: null
          },
          {
            foreignKeyName: "Child_Parent_fkey"
            columns: null
            isOneToOne: false
            referencedRelation: "Parent"
            referencedColumns: null
          },
        ]
      }
      Parent: {
        Row: {
          id: number
          "Other Id": number | null
          computed: {
            id: number
            Parent: number | null
          } | null
        }
        Insert: {
          id: number
          "Other Id"?: number | null
        }
        Update: {
          id?: number
          "Other Id"?: number | null
        }
        Relationships: []
      }
    }
    Views: {
      View: {
        Row: {
          child: number | null
          Parent: number | null
        }
        Insert: {
          child?: number | null
          Parent?: number | null
        }
        Update: {
          child?: number | null
          Parent?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "Child_id_fkey"
            columns: ["child"]
            isOneToOne: false
            referencedRelation: "Parent"
            referencedColumns: null
          },
          {
            foreignKeyName: "Child_Parent_fkey"
            columns: ["Parent"]
            isOneToOne: false
            referencedRelation: "Parent"
            referencedColumns: null
          },
        ]
      }
    }
    Functions: {
      computed: {
        Args: { "": Database["Quoted Schema"]["Tables"]["Parent"]["Row"] }
        Returns: {
          id: number
          Parent: number | null
        }
        SetofOptions: {
          from: '"Quoted Schema"."Parent"'
          to: "Child"
          isOneToOne: true
          isSetofReturn: true
        }
      }
      Fn: {
        Args: {
          arg: Database["Quoted Schema"]["Tables"]["Parent"]["Row"]
          "Arg One": number
        }
        Returns: {
          id: number
          Parent: number | null
        }
        SetofOptions: {
          from: "*"
          to: "Child"
          isOneToOne: true
          isSetofReturn: false
        }
      }
    }
    Enums: {
      [_ in never]: never
    }
    CompositeTypes: {
      [_ in never]: never
    }
  }
  "tab\ttab": {
    Tables: {
      t: {
        Row: {
          id: number | null
        }
        Insert: {
          id?: number | null
        }
        Update: {
          id?: number | null
        }
        Relationships: []
      }
    }
    Views: {
      [_ in never]: never
    }
    Functions: {
      [_ in never]: never
    }
    Enums: {
      [_ in never]: never
    }
    CompositeTypes: {
      [_ in never]: never
    }
  }
}

type DatabaseWithoutInternals = Omit<Database, "__InternalSupabase">

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Database, "public">]

export type Tables<
  DefaultSchemaTableNameOrOptions extends
    | keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends (DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
        DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])
    : never) = never,
> = DefaultSchemaTableNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
      DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])[TableName] extends {
      Row: infer R
    }
    ? R
    : never
  : DefaultSchemaTableNameOrOptions extends keyof (DefaultSchema["Tables"] &
        DefaultSchema["Views"])
    ? (DefaultSchema["Tables"] &
        DefaultSchema["Views"])[DefaultSchemaTableNameOrOptions] extends {
        Row: infer R
      }
      ? R
      : never
    : never

export type TablesInsert<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends (DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never) = never,
> = DefaultSchemaTableNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Insert: infer I
    }
    ? I
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
        Insert: infer I
      }
      ? I
      : never
    : never

export type TablesUpdate<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends (DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never) = never,
> = DefaultSchemaTableNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Update: infer U
    }
    ? U
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
        Update: infer U
      }
      ? U
      : never
    : never

export type Enums<
  DefaultSchemaEnumNameOrOptions extends
    | keyof DefaultSchema["Enums"]
    | { schema: keyof DatabaseWithoutInternals },
  EnumName extends (DefaultSchemaEnumNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"]
    : never) = never,
> = DefaultSchemaEnumNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"][EnumName]
  : DefaultSchemaEnumNameOrOptions extends keyof DefaultSchema["Enums"]
    ? DefaultSchema["Enums"][DefaultSchemaEnumNameOrOptions]
    : never

export type CompositeTypes<
  PublicCompositeTypeNameOrOptions extends
    | keyof DefaultSchema["CompositeTypes"]
    | { schema: keyof DatabaseWithoutInternals },
  CompositeTypeName extends (PublicCompositeTypeNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"]
    : never) = never,
> = PublicCompositeTypeNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"][CompositeTypeName]
  : PublicCompositeTypeNameOrOptions extends keyof DefaultSchema["CompositeTypes"]
    ? DefaultSchema["CompositeTypes"][PublicCompositeTypeNameOrOptions]
    : never

export const Constants = {
  a: {
    Enums: {},
  },
  "a.b": {
    Enums: {},
  },
  grüße: {
    Enums: {},
  },
  'it\'s "so"': {
    Enums: {
      e: ["x"],
    },
  },
  order: {
    Enums: {},
  },
  public: {
    Enums: {
      "an enum": [
        "a",
        'b"c',
        "d'e",
        "f'\"g",
        "h\\i",
        "new\nline",
        "",
        "ünï",
        "日本",
        "tab\t",
        "true",
        "1",
      ],
      long_enum: [
        "first of the labels",
        "second of the labels",
        "third of the labels",
        "fourth",
      ],
      wide_enum: [
        "日本語日本語日本語",
        "中文中文中文中文中",
        "nihongo nihongo nihongo nihong",
      ],
    },
  },
  "Quoted Schema": {
    Enums: {},
  },
  "tab\ttab": {
    Enums: {},
  },
} as const
